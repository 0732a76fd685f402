/** What the masks of one vocabulary share over all grammars. */
import type { LexemePool } from './lexeme.js';
import { LexemeMasks } from './lexeme-mask.js';
import type { Slices } from './slices.js';
import { type TokenTrie, trieOf } from './trie.js';
import type { Vocabulary } from './vocabulary.js';

export class MaskShare {
  readonly trie: TokenTrie;
  readonly slices: Slices;
  readonly lexemes: LexemeMasks;

  constructor(vocabulary: Vocabulary, pool: LexemePool, slices: Slices) {
    this.trie = trieOf(vocabulary);
    this.slices = slices;
    this.lexemes = new LexemeMasks(pool, this.trie, slices, vocabulary);
  }
}
