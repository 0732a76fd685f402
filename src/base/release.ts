/** Runs every step in turn, also after one that throws, so that nothing stays held; then throws the first fault. */
export async function releaseAll(...steps: readonly (() => unknown)[]): Promise<void> {
  const faults: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (fault) {
      faults.push(fault);
    }
  }
  if (faults.length > 0) throw faults[0];
}
