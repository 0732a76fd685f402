/** What other benches leave beside a run, for its report: the mask's share with a large vocabulary, and peers. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Ratio, Share } from '../statistics.js';

export interface LargeVocabulary {
  readonly vocabulary: string;
  readonly tokens: number;
  readonly parameters: number;
  readonly requests: number;
  readonly steps: number;
  readonly stepMs: number;
  readonly maskMs: { readonly mean: number; readonly p50: number; readonly p99: number };
  /** Masks over the time of the steps they were made for. */
  readonly share: Ratio;
  /** The same with grammars seen for the first time. */
  readonly coldShare: Ratio;
}

export interface PeerRow {
  readonly name: string;
  readonly version: string;
  readonly model: string;
  readonly requests: number;
  readonly refused: number;
  readonly fits: Share;
  readonly cut: number;
  readonly tokensPerSecond: number;
  readonly msPerAnswer: number;
  /** Its time over ours, on the requests that both answered. */
  readonly timesOurs: Ratio;
}

export interface Peers {
  readonly rows: readonly PeerRow[];
  readonly notes: readonly string[];
}

export interface Extras {
  readonly largeVocabulary?: LargeVocabulary;
  readonly peers?: Peers;
}

export const EXTRA_FILES = { largeVocabulary: 'large-vocabulary.json', peers: 'peers.json' } as const;

export function readExtras(folder: string): Extras {
  const read = <T>(name: string): T | undefined => {
    const file = path.join(folder, name);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
  };
  const largeVocabulary = read<LargeVocabulary>(EXTRA_FILES.largeVocabulary);
  const peers = read<Peers>(EXTRA_FILES.peers);
  return {
    ...(largeVocabulary === undefined ? {} : { largeVocabulary }),
    ...(peers === undefined ? {} : { peers }),
  };
}
