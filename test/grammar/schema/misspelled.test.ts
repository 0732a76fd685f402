/** What looks like a slip in a schema is a warning; what a vendor adds is not. */
import { describe, expect, it } from 'vitest';
import { schemaToGrammar } from '../../../src/grammar/schema/index.js';

const warned = (schema: unknown): readonly string[] =>
  schemaToGrammar(schema)
    .diagnostics.filter((d) => d.severity === 'warning')
    .map((d) => `${d.pointer} ${/'([^']+)'\?$/.exec(d.message)?.[1] ?? d.message.split(':')[0]}`);

describe('misspelled keywords', () => {
  const cases: readonly (readonly [unknown, readonly string[]])[] = [
    [{ type: 'string', minlength: 5 }, ['/minlength minLength']],
    [{ type: 'object', requried: ['a'] }, ['/requried required']],
    [{ type: 'array', item: { type: 'string' } }, ['/item items']],
    [{ type: 'object', additional_properties: false }, ['/additional_properties additionalProperties']],
    [{ properties: { a: { anyof: [true] } } }, ['/properties/a/anyof anyOf']],
    [{ ref: '#/$defs/a', $defs: { a: true } }, ['/ref $ref']],
    [{ properties: { a: { type: 'string', required: true } } }, ['/properties/a/required a boolean (draft 3)']],
    [{ type: 'string', nullable: true }, ['/nullable of OpenAPI 3.0']],
    [{ type: ['string', 'null'], nullable: true }, []],
    [{ type: 'string', format: 'datetime' }, ['/format date-time']],
    [{ type: 'string', format: 'int32' }, []],
    [{ name: { type: 'string' } }, ['/name no keyword of JSON Schema in this schema']],
    [{ type: 'object', properties: { minlength: { type: 'string' } } }, []],
    [
      {
        'x-order': 1,
        discriminator: { propertyName: 'k' },
        enumNames: ['a'],
        optional: true,
        titel: 'x',
        type: 'string',
      },
      [],
    ],
    [{ note: 'x', in: 'query', unit: 'm', style: 'form', xml: {}, type: 'string' }, []],
    [{ type: 'string', _format: 'date', _minLength: 3 }, []],
    [{ description: 'anything' }, []],
    [{}, []],
  ];
  for (const [schema, expected] of cases)
    it(JSON.stringify(schema), () => {
      expect(warned(schema)).toEqual(expected);
    });
});
