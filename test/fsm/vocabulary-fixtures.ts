/** Small tokenizer.json files of each family, trained on the spot from a few sentences: no downloads, no binary files. */
const CORPUS = [
  'the quick brown fox jumps over the lazy dog, the dog sleeps',
  '{"name":"John Smith","age":42,"email":"john@example.com"}',
  '{"items":[1,2,3],"active":true,"note":null,"price":-12.50e3}',
  "it's what we'll do, don't you think? naïve café — über 東京 😀",
  'for (let i = 0; i < n; i++) { sum += values[i]; }\n\n    return sum;\n',
];

const utf8 = new TextEncoder();

function charOfByte(): string[] {
  const out: string[] = [];
  let next = 256;
  for (let b = 0; b < 256; b++) {
    const plain = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    out.push(String.fromCharCode(plain ? b : next++));
  }
  return out;
}

/** Plain BPE training: the most frequent pair first, ties by text. */
function train(words: string[][], rounds: number): [string, string][] {
  const merges: [string, string][] = [];
  for (let r = 0; r < rounds; r++) {
    const counts = new Map<string, number>();
    for (const w of words)
      for (let i = 0; i + 1 < w.length; i++) {
        const k = `${w[i]}\0${w[i + 1]}`;
        counts.set(k, (counts.get(k) ?? 0) + 1);
      }
    let best = '';
    let most = 1;
    for (const [k, c] of counts)
      if (c > most || (c === most && k < best)) {
        best = k;
        most = c;
      }
    if (best === '') break;
    const [a, b] = best.split('\0') as [string, string];
    merges.push([a, b]);
    words = words.map((w) => {
      const out: string[] = [];
      for (let i = 0; i < w.length; i++) {
        if (w[i] === a && w[i + 1] === b) {
          out.push(a + b);
          i++;
        } else out.push(w[i] ?? '');
      }
      return out;
    });
  }
  return merges;
}

const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const GPT2 = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

export function byteLevel(kind: 'gpt2' | 'llama3') {
  const chars = charOfByte();
  const words = CORPUS.flatMap((t) => t.match(GPT2) ?? []).map((w) => [...utf8.encode(w)].map((b) => chars[b] ?? ''));
  const merges = train(words, 180);
  const vocab: Record<string, number> = {};
  for (const c of chars) vocab[c] = Object.keys(vocab).length;
  for (const [a, b] of merges) vocab[a + b] ??= Object.keys(vocab).length;
  const n = Object.keys(vocab).length;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      added(n, '<|endoftext|>', true),
      added(n + 1, '<|im_end|>', true),
      added(n + 2, '<tool>', false),
      added(n + 3, '<|think|>', true),
    ],
    normalizer: null,
    pre_tokenizer:
      kind === 'gpt2'
        ? { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
        : {
            type: 'Sequence',
            pretokenizers: [
              { type: 'Split', pattern: { Regex: LLAMA3 }, behavior: 'Isolated', invert: false },
              { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
            ],
          },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: kind === 'llama3',
      vocab,
      merges: kind === 'gpt2' ? merges.map((m) => m.join(' ')) : merges,
    },
  };
}

const bytePiece = (b: number): string => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`;

/** Llama-2's shape: no pre-tokenizer, `▁` for spaces, byte tokens. */
export function byteFallback() {
  const words = CORPUS.map((t) => [...t.replaceAll(' ', '▁')]);
  const merges = train(words, 160);
  const vocab: Record<string, number> = { '<unk>': 0, '<s>': 1, '</s>': 2 };
  for (let b = 0; b < 256; b++) vocab[bytePiece(b)] = 3 + b;
  const add = (p: string): void => {
    if (vocab[p] === undefined) vocab[p] = Object.keys(vocab).length;
  };
  for (const c of new Set(words.flat())) if (!'東京😀—\n'.includes(c)) add(c);
  for (const [a, b] of merges) if (!/[東京😀—\n]/u.test(a + b)) add(a + b);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [added(0, '<unk>', true), added(1, '<s>', true), added(2, '</s>', true)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: merges
        .filter(([a, b]) => vocab[a] !== undefined && vocab[b] !== undefined && vocab[a + b] !== undefined)
        .map((m) => m.join(' ')),
    },
  };
}

export function unigram() {
  const counts = new Map<string, number>();
  for (const t of CORPUS)
    for (const w of t.replaceAll(' ', '\0▁').split('\0'))
      for (let i = 0; i < w.length; i++)
        for (let n = 1; n <= 8 && i + n <= w.length; n++) {
          const p = w.slice(i, i + n);
          if (/[東京\ud800-\udfff—\n]/.test(p)) continue;
          counts.set(p, (counts.get(p) ?? 0) + 1);
        }
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const vocab: [string, number][] = [
    ['<unk>', 0],
    ['<s>', 0],
    ['</s>', 0],
  ];
  for (let b = 0; b < 256; b++) vocab.push([bytePiece(b), -30]);
  for (const [p, c] of [...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1)))
    if (p.length === 1 || c > 1)
      vocab.push([p, Math.log((c * p.length) / total) + p.codePointAt(0)! * 1e-6 + p.length * 1e-5]);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [added(0, '<unk>', true), added(1, '<s>', true), added(2, '</s>', true)],
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true },
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'ByteFallback' },
        { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true },
      ],
    },
    model: { type: 'Unigram', unk_id: 0, byte_fallback: true, vocab },
  };
}

export function wordPiece() {
  const vocab: Record<string, number> = { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3 };
  const add = (p: string): void => {
    vocab[p] ??= Object.keys(vocab).length;
  };
  for (let c = 33; c < 127; c++) {
    add(String.fromCharCode(c));
    add(`##${String.fromCharCode(c)}`);
  }
  for (const w of ['the', 'quick', 'jump', '##s', '##ing', 'name', 'John', 'Sm', '##ith', 'sleep', '##ame']) add(w);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [added(0, '[PAD]', true), added(1, '[UNK]', true), added(2, '[CLS]', true), added(3, '[SEP]', true)],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: false,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

function added(id: number, content: string, special: boolean) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

export const TEXTS: readonly string[] = [
  ...CORPUS,
  '{"name":"Jörg","city":"東京","emoji":"😀👍🏽"}',
  ' leading space',
  'two  spaces and   three',
  'tabs\tand\nnewlines\n\n',
  '1234567890 12.5e-10',
  "DON'T shout, I'LL listen",
  '<tool>inside</tool>',
  'a',
  ' ',
];
