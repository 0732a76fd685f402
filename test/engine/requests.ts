/** A schema and a prompt that many tests of the engine ask with. */
export const person = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 12 }, age: { type: 'integer', minimum: 0, maximum: 150 } },
  required: ['name', 'age'],
  additionalProperties: false,
} as const;
export const prompt = 'Extract: John Smith, 42';
export const base = { prompt, maxTokens: 80 };
