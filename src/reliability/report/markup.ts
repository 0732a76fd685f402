/** HTML as text: what is put in is escaped unless it is markup already. */

export interface Markup {
  readonly markup: string;
}

type Part = Markup | string | number | readonly Markup[] | undefined;

/** A template of markup. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let out = texts[0] ?? '';
  parts.forEach((part, i) => {
    out += render(part) + (texts[i + 1] ?? '');
  });
  return { markup: out };
}

/** Text that is markup, such as a style sheet. */
export function raw(markup: string): Markup {
  return { markup };
}

function render(part: Part): string {
  if (part === undefined) return '';
  if (Array.isArray(part)) return (part as readonly Markup[]).map((p) => p.markup).join('');
  if (typeof part === 'object') return (part as Markup).markup;
  return escapeText(String(part));
}

function escapeText(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // Control characters are not allowed in HTML; what a model wrote may hold any.
      .replace(/[^\P{Cc}\t\n\r]/gu, '\ufffd')
  );
}
