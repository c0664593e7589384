/** What is thrown: a mistake, or a server that refuses, in one line that says what would be right. */

/** Something cannot be done; the message says why, and what would be right. */
export class StubError extends Error {
  override readonly name: string = 'StubError';

  /** @param status The status of the server's answer, if it refused. */
  constructor(
    message: string,
    readonly status?: number,
  ) {
    super(message);
  }
}

/** The world did not receive the requests that were expected; the message quotes the closest one. */
export class VerificationError extends StubError {
  override readonly name = 'VerificationError';
}

/** "There is no WHAT 'NAME'." with what would be right. */
export function unknown(what: string, name: unknown, known: readonly string[]): string {
  const asked = String(name).slice(0, 60);
  const away = known.map((candidate) => distance(asked.toLowerCase(), candidate.toLowerCase()));
  const least = Math.min(...away);
  const near = least <= Math.max(2, asked.length / 3) ? known.filter((_, place) => away[place] === least) : [];
  const right = near.length > 0 ? `Did you mean ${near.join(', ')}?` : `Use one of: ${known.join(', ')}.`;
  return `There is no ${what} '${asked}'. ${right}`;
}

/** Throws StubError unless `options` is an object whose keys are known. */
export function checkOptions(where: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new StubError(`${where} takes an object with options, not ${shown(options)}: ${known.join(', ')}.`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new StubError(`${where}: ${unknown('option', name, known)}`);
  }
}

/** A value as a message shows it: short, on one line. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : String(JSON.stringify(value) ?? value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** The number of letters to change, add or remove between two words (Levenshtein). */
function distance(one: string, other: string): number {
  let row = [...Array(other.length + 1).keys()];
  for (const [place, letter] of [...one].entries()) {
    const next = [place + 1];
    for (let column = 0; column < other.length; column++) {
      const replaced = (row[column] ?? 0) + (letter === other[column] ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
