const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The text of UTF-8 bytes; what is cut off or wrong becomes U+FFFD. U+FEFF is a character like any other: the platform's decoder leaves it out
 * at the beginning unless told otherwise, so that two different keys of an object were taken for one.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
