/** How tasks share a machine. */
export interface SideBySide {
  /** Number of tasks at a time. */
  parallel: number;
  /** Number of threads of all tasks together. */
  threads: number;
  /** Aborted by the first error, so that the other tasks end too. */
  stop: AbortController;
}

/**
 * Works off tasks in their order, `parallel` at a time. What is left over after whole rounds runs at the end, with the
 * threads shared out among fewer.
 * @param run gets the threads of its task
 * @throws what the first task that failed threw
 */
export async function runSideBySide<T>(
  tasks: readonly T[],
  { parallel, threads, stop }: SideBySide,
  run: (task: T, threads: number) => Promise<void>,
): Promise<void> {
  const waiting = [...tasks];
  const leftOver = waiting.length % parallel;
  const runUntil = async (left: number, together: number) => {
    const each = Math.max(1, Math.floor(threads / together));
    let failure: { error: unknown } | null = null;
    const worker = async () => {
      while (waiting.length > left && failure === null) {
        try {
          await run(waiting.shift()!, each);
        } catch (error) {
          failure ??= { error };
          stop.abort(error);
        }
      }
    };
    await Promise.all(Array.from({ length: together }, worker));
    if (failure !== null) throw (failure as { error: unknown }).error;
  };
  await runUntil(leftOver, parallel);
  if (leftOver > 0) await runUntil(0, leftOver);
}
