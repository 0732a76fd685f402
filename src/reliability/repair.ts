/**
 * Method 3's repair: the package jsonrepair (no dependencies, kept up for years, the most used one for JavaScript). It is an optional
 * dependency: where it was left out at installation the method is skipped, and the report says so.
 */
export type Repair = (text: string) => string;

export async function loadRepair(): Promise<Repair | undefined> {
  try {
    const { jsonrepair } = await import('jsonrepair');
    // What comes before the first bracket and after the last is prose: a kindness that people who repair also do first.
    return (text) => jsonrepair(withoutProse(text));
  } catch {
    return undefined;
  }
}

/** The part from the first opening bracket on, where there is one and the text does not begin with a JSON value. */
function withoutProse(text: string): string {
  const fenced = /```(?:json)?\s*([\s\S]*?)```/.exec(text);
  const body = (fenced?.[1] ?? text).trim();
  if (/^["\-\d[{]|^(?:true|false|null)\b/.test(body)) return body;
  const at = body.search(/[[{]/);
  return at < 0 ? body : body.slice(at);
}
