/** Free text with tagged parts: against a reader that looks for triggers and tries every end of a content. */
import { describe, expect, it } from 'vitest';
import { OptionError, UnsatisfiableError } from '../../../src/base/errors.js';
import { createRandom, type Random } from '../../../src/base/random.js';
import {
  choice,
  compile,
  json,
  Matcher,
  type MatcherOptions,
  regex,
  type TagsConstraint,
  tags,
  Vocabulary,
} from '../../../src/core.js';

/** Whether a text fits, by definition. */
function fits(c: TagsConstraint, text: string): boolean {
  const contentFits = (i: number, part: string): boolean => {
    const content = c.tags[i]!.content;
    if (content.kind === 'choice') return content.texts.includes(part);
    return content.kind === 'regex' && new RegExp(`^(?:${content.pattern})$`, 'su').test(part);
  };
  /** Where the content and the mark that begin here may end. */
  const ends = (i: number, from: number): number[] => {
    const { end } = c.tags[i]!;
    const out: number[] = [];
    for (let to = from; to <= text.length; to++)
      if (text.startsWith(end, to) && contentFits(i, text.slice(from, to))) out.push(to + end.length);
    return out;
  };
  const rest = (at: number, count: number): boolean => {
    if (c.text === 'before' && count > 0) {
      if (at === text.length && count >= c.min) return true;
      if (count === c.max) return false;
      const blank = /^[\t\n\r ]*/.exec(text.slice(at))![0].length;
      for (let b = 0; b <= blank; b++) if (begins(at + b, count)) return true;
      return false;
    }
    const first = firstTrigger(text.slice(at), c.triggers);
    if (first === undefined) return count >= c.min;
    return count !== c.max && begins(at + first, count);
  };
  const begins = (at: number, count: number): boolean =>
    c.tags.some(
      ({ begin }, i) => text.startsWith(begin, at) && ends(i, at + begin.length).some((to) => rest(to, count + 1)),
    );
  return rest(0, 0);
}

/** Where the trigger that ends first begins. */
function firstTrigger(text: string, triggers: readonly string[]): number | undefined {
  for (let end = 1; end <= text.length; end++)
    for (const t of triggers) if (text.slice(0, end).endsWith(t)) return end - t.length;
  return undefined;
}

const bytes = new TextEncoder();
const pieces = ['<', '>', 'a', 'b', ' ', '<a', 'a>', 'ab', 'b<', '<<a', '>a<', 'aab', '\n'];
const vocabulary = Vocabulary.fromTokens([...pieces.map((p) => bytes.encode(p)), null], { eos: [pieces.length] });

const some = <T>(r: Random, list: readonly T[]): T => list[r.below(list.length)]!;
const word = (r: Random, least: number, most: number): string =>
  Array.from({ length: least + r.below(most - least + 1) }, () => some(r, ['<', '>', 'a', 'b'])).join('');

function drawn(r: Random): TagsConstraint | undefined {
  const contents = [
    choice(['a', 'ab', 'ba>']),
    choice(['']),
    regex('a*'),
    regex('[ab]{1,3}'),
    regex('b<?a'),
    choice([]),
  ];
  const list = Array.from({ length: 1 + r.below(3) }, () => ({
    begin: word(r, 1, 3),
    content: some(r, contents),
    end: word(r, 0, 2),
  }));
  const min = r.below(3);
  const triggers =
    r.below(2) === 0 ? undefined : [...new Set(list.map((t) => t.begin.slice(0, 1 + r.below(t.begin.length))))];
  const options = {
    min,
    max: r.below(2) === 0 ? Math.max(1, min) + r.below(2) : undefined,
    text: some(r, ['anywhere', 'before'] as const),
  };
  try {
    return tags(list, { ...options, ...(triggers === undefined ? {} : { triggers }) });
  } catch (error) {
    // A beginning that has another trigger inside, and so is never reached.
    expect(error).toBeInstanceOf(OptionError);
    return undefined;
  }
}

/** None where no text fits, or none within the budget. */
function matcherOf(c: TagsConstraint, options: MatcherOptions = {}): Matcher | undefined {
  try {
    return new Matcher(compile(c), vocabulary, options);
  } catch (error) {
    expect(error).toBeInstanceOf(UnsatisfiableError);
    return undefined;
  }
}

describe('tags', () => {
  it('accept what the reader accepts (random tags and texts)', () => {
    const r = createRandom(7);
    let accepted = 0;
    for (let i = 0; i < 300; i++) {
      const c = drawn(r);
      if (c === undefined) continue;
      const empty = matcherOf(c);
      for (let k = 0; k < 30; k++) {
        // Texts that hold marks more often than chance has them.
        const text = Array.from({ length: r.below(5) }, () => {
          const tag = some(r, c.tags);
          return some(r, [
            word(r, 0, 2),
            tag.begin + some(r, ['a', 'ab', '', 'ba']) + tag.end,
            some(r, [' ', '', '\n']),
          ]);
        }).join('');
        const matcher = empty?.fork();
        const answer = matcher?.acceptBytes(bytes.encode(text)) === true && matcher.isAccepting;
        if (answer) accepted++;
        expect(answer, JSON.stringify({ c, text })).toBe(fits(c, text));
      }
    }
    expect(accepted).toBeGreaterThan(1000);
  });

  it('have masks that say what accept says, and end within a budget (random walks)', () => {
    const r = createRandom(11);
    const mask = new Uint32Array(1);
    let walks = 0;
    for (let i = 0; i < 150; i++) {
      const c = drawn(r);
      const matcher = c === undefined ? undefined : matcherOf(c, i % 2 === 0 ? {} : { maxTokens: 24 });
      if (c === undefined || matcher === undefined) continue;
      walks++;
      let text = '';
      for (let step = 0; step < 24 && !matcher.isFinished; step++) {
        matcher.fillMask(mask);
        const open = [...vocabulary.eos, ...pieces.keys()].filter((t) => (mask[0]! >>> t) & 1);
        for (let t = 0; t <= pieces.length; t++)
          expect(matcher.fork().accept(t), `${JSON.stringify({ c, text })} ${t}`).toBe(open.includes(t));
        const token = some(r, open);
        expect(matcher.accept(token)).toBe(true);
        text += pieces[token] ?? '';
      }
      if (matcher.isFinished || i % 2 === 1) expect(fits(c, text), JSON.stringify({ c, text })).toBe(true);
    }
    expect(walks).toBeGreaterThan(100);
  });

  it('hold JSON that has the closing mark in a string, and text with marks cut short', () => {
    const call = json({
      type: 'object',
      properties: { q: { type: 'string' } },
      required: ['q'],
      additionalProperties: false,
    });
    const c = compile(tags([{ begin: '<call>', content: call, end: '</call>' }]));
    const ok = (text: string): boolean => {
      const matcher = new Matcher(c, bytesOnly);
      return matcher.acceptBytes(bytes.encode(text)) && matcher.isAccepting;
    };
    expect(ok('plain <cal> text </call>')).toBe(true);
    expect(ok('<<call>{"q":"</call>"}</call> and <call>{"q":""}</call>')).toBe(true);
    expect(ok('<call>')).toBe(false);
    expect(ok('a <call>{"q":1}</call>')).toBe(false);
  });

  it('are plain data: the same from JSON', () => {
    const c = tags([{ begin: '<a>', content: choice(['x']), end: '' }]);
    expect(JSON.parse(JSON.stringify(c))).toEqual(c);
  });

  it('begin with triggers: several tags behind one', () => {
    const c = compile(
      tags(
        [
          { begin: '<f=a>', content: choice(['1']), end: '</f>' },
          { begin: '<f=b>', content: { type: 'boolean' }, end: '</f>' },
        ],
        { triggers: ['<f='], max: 1, text: 'before' },
      ),
    );
    const ok = (text: string): boolean => {
      const matcher = new Matcher(c, bytesOnly);
      return matcher.acceptBytes(bytes.encode(text)) && matcher.isAccepting;
    };
    expect(['hi', 'hi <f=a>1</f>', '<f=b>true</f>'].map(ok)).toEqual([true, true, true]);
    expect(['<f=', '<f=c>1</f>', '<f=a>1</f> more', '<f=a>1</f><f=a>1</f>'].map(ok)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it.each([
    ['no tags', () => tags([])],
    ['an empty beginning', () => tags([{ begin: '', content: true, end: 'x' }])],
    ['half of a pair to begin with', () => tags([{ begin: '\ud83d', content: true, end: 'x' }])],
    ['half of a pair at the end', () => tags([{ begin: 'x', content: true, end: '\ud83d' }])],
    [
      'half of a pair as trigger',
      () => tags([{ begin: '\u{1f600}', content: true, end: '' }], { triggers: ['\ud83d'] }),
    ],
    ['no content', () => tags([{ begin: 'x', end: 'x' } as never])],
    ['tags inside', () => tags([{ begin: 'x', content: tags([{ begin: 'y', content: true, end: '' }]), end: '' }])],
    ['a tag that no trigger begins', () => tags([{ begin: '<a', content: true, end: '' }], { triggers: ['<b'] })],
    ['a trigger without a tag', () => tags([{ begin: '<a', content: true, end: '' }], { triggers: ['<a', '<b'] })],
    ['fewer than none', () => tags([{ begin: '<a', content: true, end: '' }], { min: -1 })],
    ['most under fewest', () => tags([{ begin: '<a', content: true, end: '' }], { min: 3, max: 2 })],
    ['none at most', () => tags([{ begin: '<a', content: true, end: '' }], { max: 0 })],
    [
      'two kinds of whitespace',
      () =>
        compile(
          tags([
            { begin: 'x', content: json({ type: 'object' }, { whitespace: 'flexible' }), end: '' },
            { begin: 'y', content: json({ type: 'object' }, { whitespace: 'compact' }), end: '' },
          ]),
        ),
    ],
  ])('are an OptionError: %s', (_, make) => {
    expect(make).toThrow(OptionError);
  });
});

const bytesOnly = Vocabulary.fromTokens([...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null], {
  eos: [256],
});

it('says of which tag an error is', () => {
  const good = { begin: '<a>', content: { type: 'integer' }, end: '</a>' };
  const unsatisfiable = { type: 'integer', minimum: 2, maximum: 1 };
  expect(() => compile(tags([good, { ...good, begin: '<b>', content: unsatisfiable }]))).toThrow(UnsatisfiableError);
  expect(() => compile(tags([good, { ...good, begin: '<b>', content: unsatisfiable }]))).toThrow(
    /^tag "<b>": unsatisfiable/,
  );
  expect(() => compile(tags([good, { ...good, begin: '<c>', content: regex('(') }]))).toThrow(/^tag "<c>": /);
});
