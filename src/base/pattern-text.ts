/** A text as the source of a pattern that matches just it. */
export const patternText = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&');
