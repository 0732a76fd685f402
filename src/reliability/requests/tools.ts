/** Tool calls made from a seed: two to six tools, a sentence that asks for one of them, and the call that is right. */
import { createRandom, type Random } from '../../base/random.js';
import { seedOf } from '../seed.js';
import type { BenchRequest, BenchTool } from '../types.js';
import { between, person, pick, several, value } from './words.js';

interface Made {
  readonly ask: string;
  readonly args: Readonly<Record<string, unknown>>;
}

interface ToolKind {
  readonly tool: BenchTool;
  readonly use: (random: Random) => Made;
}

const text = (maxLength: number) => ({ type: 'string', maxLength });
const object = (properties: Record<string, unknown>, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const day = (random: Random): string => `2025-0${between(random, 1, 9)}-${between(random, 10, 28)}`;
const city = (random: Random): string => pick(random, ['Oslo', 'Lima', 'Porto', 'Graz', 'Turin', 'Nantes']);

const KINDS: readonly ToolKind[] = [
  {
    tool: {
      name: 'get_weather',
      description: 'Weather of a city',
      parameters: object({ city: text(40), date: { type: 'string', format: 'date' } }),
    },
    use: (r) => {
      const args = { city: city(r), date: day(r) };
      return { ask: `What is the weather in ${args.city} on ${args.date}?`, args };
    },
  },
  {
    tool: {
      name: 'send_mail',
      description: 'Send an e-mail',
      parameters: object({ to: { type: 'string', format: 'email' }, subject: text(60) }),
    },
    use: (r) => {
      const args = { to: `${person(r).split(' ')[0]!.toLowerCase()}@example.com`, subject: `${value(r)} ${value(r)}` };
      return { ask: `Send a mail to ${args.to} with the subject ${args.subject}`, args };
    },
  },
  {
    tool: {
      name: 'set_timer',
      description: 'Start a timer',
      parameters: object({ minutes: { type: 'integer', minimum: 1, maximum: 600 }, label: text(30) }, ['minutes']),
    },
    use: (r) => {
      const args = { minutes: between(r, 1, 90) };
      return { ask: `Set a timer for ${args.minutes} minutes`, args };
    },
  },
  {
    tool: {
      name: 'search_products',
      description: 'Search the shop',
      parameters: object(
        { query: text(60), max_price: { type: 'number', minimum: 0 }, sort: { enum: ['price', 'rating', 'new'] } },
        ['query', 'max_price'],
      ),
    },
    use: (r) => {
      const args = {
        query: `${value(r)} ${pick(r, ['lamp', 'chair', 'kettle', 'violin'])}`,
        max_price: between(r, 5, 400),
      };
      return { ask: `Find a ${args.query} for at most ${args.max_price}`, args };
    },
  },
  {
    tool: {
      name: 'book_room',
      description: 'Book a meeting room',
      parameters: object({
        room: { enum: ['A1', 'A2', 'B7'] },
        date: { type: 'string', format: 'date' },
        seats: { type: 'integer', minimum: 1, maximum: 40 },
      }),
    },
    use: (r) => {
      const args = { room: pick(r, ['A1', 'A2', 'B7']), date: day(r), seats: between(r, 2, 30) };
      return { ask: `Book room ${args.room} on ${args.date} for ${args.seats} people`, args };
    },
  },
  {
    tool: {
      name: 'translate',
      description: 'Translate a word',
      parameters: object({ word: text(30), language: { enum: ['fr', 'de', 'es', 'pt'] } }),
    },
    use: (r) => {
      const args = { word: value(r), language: pick(r, ['fr', 'de', 'es', 'pt']) };
      return { ask: `Translate ${args.word} to ${args.language}`, args };
    },
  },
  {
    tool: {
      name: 'convert',
      description: 'Convert an amount',
      parameters: object({ amount: { type: 'number' }, from: text(3), to: text(3) }),
    },
    use: (r) => {
      const [from, to] = several(r, ['EUR', 'USD', 'SEK', 'CHF'], 2) as [string, string];
      const args = { amount: between(r, 1, 900), from, to };
      return { ask: `Convert ${args.amount} ${from} to ${to}`, args };
    },
  },
  {
    tool: {
      name: 'add_tags',
      description: 'Tag a document',
      parameters: object({
        id: { type: 'integer', minimum: 1 },
        tags: { type: 'array', items: text(16), uniqueItems: true, minItems: 1, maxItems: 5 },
      }),
    },
    use: (r) => {
      const args = { id: between(r, 1, 999), tags: [...new Set([value(r), value(r)])] };
      return { ask: `Tag document ${args.id} with ${args.tags.join(' and ')}`, args };
    },
  },
];

export function toolRequests(count: number, seed: number): BenchRequest[] {
  return Array.from({ length: count }, (_, i) => {
    const id = `tools/${i}`;
    const random = createRandom(seedOf(seed, id));
    const shown = several(random, KINDS, between(random, 2, 6));
    const used = pick(random, shown);
    const { ask, args } = used.use(random);
    return {
      id,
      source: 'tools',
      group: used.tool.name,
      messages: [{ role: 'user', content: ask }],
      tools: shown.map((k) => k.tool),
      expected: { name: used.tool.name, arguments: args },
    };
  });
}
