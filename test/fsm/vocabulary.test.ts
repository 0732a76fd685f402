import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError, OptionError } from '../../src/base/errors.js';
import { compile, gbnf } from '../../src/core.js';
import { Matcher } from '../../src/fsm/index.js';
import { splitsOf } from '../../src/fsm/tokenizer-json/pre-tokenize.js';
import { Vocabulary } from '../../src/fsm/vocabulary.js';
import { byteFallback, byteLevel, TEXTS, unigram, wordPiece } from './vocabulary-fixtures.js';

const utf8 = new TextEncoder();
const decoder = new TextDecoder();
const bytesOf = (text: string): Uint8Array => utf8.encode(text);
const text = (bytes: Uint8Array): string => decoder.decode(bytes);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The library's ids of a text, without special tokens. */
function reference(json: object): (text: string) => number[] {
  const tokenizer = new Tokenizer(json, { clean_up_tokenization_spaces: false });
  return (t) => tokenizer.encode(t, { add_special_tokens: false }).ids;
}

describe('fromTokens', () => {
  const tokens = [bytesOf('a'), null, new Uint8Array(0), bytesOf('bc'), bytesOf('a'), bytesOf('<end>')];
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [5, 1], specials: { '<x>': 1 } });

  it('holds bytes in one array', () => {
    expect(vocabulary.size).toBe(6);
    expect([...vocabulary.offsets]).toEqual([0, 1, 1, 1, 3, 4, 4]);
    expect(text(vocabulary.bytes)).toBe('abca');
    expect(text(vocabulary.tokenBytes(3))).toBe('bc');
    expect(vocabulary.longest).toBe(2);
  });
  it('null, empty and end tokens have no bytes', () => {
    expect([0, 1, 2, 3, 4, 5, 6, -1, Number.NaN].map((id) => vocabulary.isNull(id))).toEqual([
      false,
      true,
      true,
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
    expect(vocabulary.eos).toEqual([5, 1]);
    expect(vocabulary.isEos(1)).toBe(true);
  });
  it('copies: later changes of the input do not show', () => {
    const input = [bytesOf('a'), null];
    const v = Vocabulary.fromTokens(input, { eos: [1] });
    input[0]![0] = 98;
    expect(text(v.tokenBytes(0))).toBe('a');
  });
  it('refuses end tokens out of range, and none', () => {
    expect(() => Vocabulary.fromTokens(tokens, { eos: [6] })).toThrow(OptionError);
    expect(() => Vocabulary.fromTokens(tokens, { eos: [0.5] })).toThrow(OptionError);
    expect(() => Vocabulary.fromTokens(tokens, { eos: [] })).toThrow(OptionError);
  });
  it('refuses what is no vocabulary, with the place', () => {
    const make = (tokens: unknown, options: unknown) => () => Vocabulary.fromTokens(tokens as never, options as never);
    const a = Uint8Array.of(97);
    expect(make(['a', 'b'], { eos: [0] })).toThrow(/tokens\[1\]/);
    expect(make('ab', { eos: [0] })).toThrow(OptionError);
    expect(make([a, null], undefined)).toThrow(OptionError);
    expect(make([a, null], { eos: 1 })).toThrow(/eos/);
    expect(make([a, null], { eos: [1], specials: { x: 9 } })).toThrow(/specials\['x'\]/);
  });
  it('matchers refuse what is no grammar, no vocabulary, no option', () => {
    const vocabulary = Vocabulary.fromTokens([Uint8Array.of(97), null], { eos: [1] });
    const grammar = compile(gbnf('root ::= "a"'));
    const make =
      (...given: unknown[]) =>
      () =>
        new (Matcher as new (...given: unknown[]) => Matcher)(...given);
    expect(make()).toThrow(/'grammar'/);
    expect(make(gbnf('root ::= "a"'), vocabulary)).toThrow(/compile\(constraint\)/);
    expect(make(grammar, {})).toThrow(/'vocabulary'/);
    expect(make(grammar, vocabulary, { maxToken: 3 })).toThrow(OptionError);
  });
  it('encodes by longest match, as far as the vocabulary reaches', () => {
    expect(vocabulary.encode('abca')).toEqual([0, 3, 0]);
    expect(vocabulary.encode('abxa')).toEqual([0]);
    expect(vocabulary.encode('')).toEqual([]);
  });
  it('finds ids by name and by bytes', () => {
    expect(vocabulary.find('<x>')).toEqual([1]);
    expect(vocabulary.find('a')).toEqual([0, 4]);
    expect(vocabulary.find('nothing')).toEqual([]);
  });
  it('uses the given encoder only where it spells the text', () => {
    const v = Vocabulary.fromTokens([bytesOf('a'), bytesOf('aa'), null], {
      eos: [2],
      encode: (t) => (t === 'aa' ? [0, 0] : [2]),
    });
    expect(v.encode('aa')).toEqual([0, 0]);
    expect(v.encode('aaa')).toEqual([1, 0]);
    expect(v.encode(Uint8Array.of(0x61, 0xff))).toEqual([0]);
  });
  it('keeps derived values once per key', () => {
    const key = Symbol('k');
    const object = {};
    let made = 0;
    const make = (): number => ++made;
    expect([
      vocabulary.cache.get(key, make),
      vocabulary.cache.get(key, make),
      vocabulary.cache.get(object, make),
    ]).toEqual([1, 1, 2]);
  });
  it('takes 200,000 tokens in well under 100 ms', () => {
    const many: Uint8Array[] = [];
    for (let i = 0; i < 200_000; i++) many.push(bytesOf(`t${i}`));
    Vocabulary.fromTokens(many, { eos: [0] });
    const start = performance.now();
    Vocabulary.fromTokens(many, { eos: [0] });
    expect(performance.now() - start).toBeLessThan(300);
  });
});

describe.each([
  ['byte-level BPE, GPT-2 split', byteLevel('gpt2')],
  ['byte-level BPE, Llama-3 split', byteLevel('llama3')],
  ['BPE with byte fallback', byteFallback()],
  ['Unigram', unigram()],
])('%s', (_, json) => {
  const vocabulary = Vocabulary.fromTokenizerJson(JSON.stringify(json));
  const encode = reference(json);
  const prepends = json.normalizer !== null;
  // The reference leaves out byte fallback of Unigram models: texts that need it are checked by their bytes alone.
  const covered = (ids: readonly number[]): boolean => json.model.type !== 'Unigram' || !ids.includes(0);

  it('spells every text by the bytes of the reference tokens', () => {
    for (const t of TEXTS) {
      if (!covered(encode(t))) continue;
      const spelled = text(vocabulary.decode(encode(t)));
      expect(spelled, t).toBe(prepends ? ` ${t}` : t);
    }
  });
  it('encodes as the reference does', () => {
    for (const t of TEXTS) {
      if (!covered(encode(t))) continue;
      // Where the reference prepends a space, the same text in mid-sequence is compared with that space written out.
      if (prepends) expect(vocabulary.encode(` ${t}`), t).toEqual(encode(t));
      else expect(vocabulary.encode(t), t).toEqual(encode(t));
    }
  });
  it('encodes any text exactly, and any bytes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 30 }),
        (t) => text(vocabulary.decode(vocabulary.encode(t))) === text(bytesOf(t)),
      ),
      { numRuns: 200, seed: 7 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (b) => same(vocabulary.decode(vocabulary.encode(b)), b)),
      { numRuns: 200, seed: 7 },
    );
  });
  it('random text agrees with the reference', () => {
    const alphabet = fc.constantFrom(...'the quick {"na:1234,} ü東😀\n\t\'s', '  ', 'John', '}\n');
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 25 }), (parts) => {
        const t = parts.join('');
        if (!covered(encode(t))) return;
        expect(vocabulary.encode(prepends ? ` ${t}` : t)).toEqual(
          t === '' && prepends ? vocabulary.encode(' ') : encode(t),
        );
      }),
      { numRuns: 300, seed: 11 },
    );
  });
});

describe('special cases of tokenizer.json', () => {
  it('every byte has its token in a byte-level vocabulary', () => {
    const v = Vocabulary.fromTokenizerJson(byteLevel('gpt2'));
    for (let b = 0; b < 256; b++) expect([...v.tokenBytes(b)]).toEqual([b]);
  });
  it('byte tokens of a fallback vocabulary are bytes, ▁ is a space', () => {
    const v = Vocabulary.fromTokenizerJson(byteFallback());
    for (let b = 0; b < 256; b++) expect([...v.tokenBytes(3 + b)]).toEqual([b]);
    expect(v.find('the ').length).toBeGreaterThan(0);
    expect(v.find(' ').length).toBe(2);
  });
  it('special tokens are shown by their names where a constraint asks for them; end tokens are not', () => {
    const json = byteLevel('gpt2');
    const v = Vocabulary.fromTokenizerJson(json);
    const at = (name: string): number => json.added_tokens.find((t) => t.content === name)!.id;
    expect(v.controls).toEqual(
      new Set(json.added_tokens.filter((t) => t.special && !v.isEos(t.id)).map((t) => t.content)),
    );
    const [token, ...more] = ['<|think|>', '<tool>', '<|im_end|>'].map((name) => text(v.shownBytes(at(name))));
    expect([token, ...more]).toEqual(['<|think|>', '<tool>', '']);
    expect(text(v.shownBytes(97))).toBe(text(v.tokenBytes(97)));
  });
  it('special tokens have no bytes, other added tokens their content, several ids end the sequence', () => {
    const json = byteLevel('gpt2');
    const v = Vocabulary.fromTokenizerJson(json);
    const at = (name: string): number => json.added_tokens.find((t) => t.content === name)!.id;
    expect(v.isNull(at('<|think|>'))).toBe(true);
    expect(text(v.tokenBytes(at('<tool>')))).toBe('<tool>');
    expect([...v.eos].sort()).toEqual([at('<|endoftext|>'), at('<|im_end|>')].sort());
    expect(v.find('<|think|>')).toEqual([at('<|think|>')]);
    expect(Vocabulary.fromTokenizerJson(json, { eos: at('<|im_end|>') }).eos).toEqual([at('<|im_end|>')]);
  });
  it('special tokens in a text are text', () => {
    const v = Vocabulary.fromTokenizerJson(byteLevel('gpt2'));
    const ids = v.encode('<|endoftext|>');
    expect(ids.some((id) => v.isEos(id))).toBe(false);
    expect(text(v.decode(ids))).toBe('<|endoftext|>');
  });
  it('WordPiece: a continuation is its text without the prefix', () => {
    const json = wordPiece();
    const v = Vocabulary.fromTokenizerJson(json);
    const encode = reference(json);
    for (const t of ['thequick', '{"name":"John"}', 'Smithjumping', 'sleeps'])
      expect(v.encode(t), t).toEqual(encode(t));
    expect(text(v.decode(encode('Smith jumps')))).toBe('Smithjumps');
    expect(v.isNull(1)).toBe(true);
    expect(v.eos).toEqual([3]);
  });
  it('a sign for a space is one in added tokens too (Gemma)', () => {
    const json = {
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }] },
      model: { type: 'BPE', vocab: { a: 0, '▁': 1, '▁▁': 2, '<eos>': 3 }, merges: [['▁', '▁']] },
      added_tokens: [{ id: 2, content: '▁▁', special: false }],
    };
    const v = Vocabulary.fromTokenizerJson(json);
    expect(v.tokenBytes(2)).toEqual(bytesOf('  '));
    expect(v.encode('a  a')).toEqual([0, 2, 0]);
  });
  it.each([
    ['signs of quantifiers in a class are characters (DeepSeek)', '[*+,]a|[^a]+|a', '+a', ['+a']],
    ['possessive quantifiers', 'a++|b{2}+|.', 'aabb', ['aa', 'bb']],
    ['white space is that of Unicode', '\\s+|\\S', 'a\u0085 \ufeff', ['a', '\u0085 ', '\ufeff']],
    ['and in classes', '[^\\s]+|[\\sb]+', 'a\ufeff\u0085', ['a\ufeff', '\u0085']],
  ])('patterns of other engines: %s', (_, Regex, whole, words) => {
    const split = splitsOf([{ type: 'Split', pattern: { Regex }, behavior: 'Isolated' }])[0]!;
    expect(split([whole])).toEqual(words);
  });
  it('letters that a normalizer would compose keep their canonical words', () => {
    const json = byteLevel('llama3');
    const [v, composing] = [json, { ...json, normalizer: { type: 'NFC' } }].map((j) => Vocabulary.fromTokenizerJson(j));
    const decomposed = 'the e\u0301 the quick {"a": 1}';
    expect(composing!.encode(decomposed)).toEqual(v!.encode(decomposed));
    expect(text(v!.decode(v!.encode(decomposed)))).toBe(decomposed);
  });
  it.each([
    [['<|im_end|>', '<|endoftext|>'], ['</s>'], ['<|im_end|>', '<|endoftext|>']],
    [['<s>', '</s>'], [], ['</s>']],
    [['<|endoftext|>'], ['<|im_end|>'], ['<|im_end|>', '<|endoftext|>']],
    [['<|return|>', '<|call|>', '<|end|>'], [], ['<|return|>', '<|call|>']],
    [['<|end|>', '<|user|>'], [], ['<|end|>']],
  ])('ends among added %j and other pieces %j: %j', (added, pieces, ends) => {
    const vocab = Object.fromEntries(['a', ...added, ...pieces].map((piece, id) => [piece, id]));
    const added_tokens = added.map((content) => ({ id: vocab[content]!, content, special: true }));
    const v = Vocabulary.fromTokenizerJson({ model: { type: 'BPE', vocab, merges: [] }, added_tokens });
    expect([...v.eos].sort()).toEqual(ends.map((content) => vocab[content]!).sort());
  });
  it('an end-of-word suffix is a space', () => {
    const v = Vocabulary.fromTokenizerJson(
      {
        model: { type: 'BPE', vocab: { a: 0, 'a</w>': 1, '<end>': 2 }, merges: [], end_of_word_suffix: '</w>' },
        added_tokens: [],
      },
      { eos: 2 },
    );
    expect(text(v.tokenBytes(1))).toBe('a ');
  });
  it.each([
    ['not JSON', '{'],
    ['not an object', '[]'],
    ['no model', '{}'],
    ['unknown type', { model: { type: 'Other', vocab: {} } }],
    ['no vocabulary', { model: { type: 'BPE' } }],
    ['a bad id', { model: { type: 'BPE', vocab: { a: -1 } } }],
    ['a huge id', { model: { type: 'BPE', vocab: { a: 1e12 } } }],
    ['a bad piece', { model: { type: 'Unigram', vocab: ['a'] } }],
    ['bad added tokens', { model: { type: 'BPE', vocab: { a: 0 } }, added_tokens: [{ id: 0 }] }],
  ])('%s is a ModelError', (_, json) => {
    expect(() => Vocabulary.fromTokenizerJson(json)).toThrow(ModelError);
  });
  it('no end token to be found is an OptionError', () => {
    expect(() => Vocabulary.fromTokenizerJson({ model: { type: 'BPE', vocab: { a: 0 }, merges: [] } })).toThrow(
      OptionError,
    );
  });
});
