// What a story counts, and how it waits: for a condition, never for a time.

let passed = 0;
let failed = 0;

/** @param {string} what @param {unknown} ok @param {string} [detail] */
export function check(what, ok, detail = '') {
  ok ? (passed += 1) : (failed += 1);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what} ${detail}`.trimEnd());
  return Boolean(ok);
}

/**
 * Waits until `probe` gives something true, and gives that. Throws at the end of the time: what follows would not make sense.
 * @template T
 * @param {string} what @param {() => Promise<T>|T} probe @param {number} [ms]
 */
export async function until(what, probe, ms = 20_000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    last = await probe();
    if (last) {
      check(what, true);
      return last;
    }
    if (Date.now() > end) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not within ${ms} ms`);
}

let broken = false;

/**
 * One chapter. When it breaks off, the ones after it fail too: they build on it.
 * @param {string} name @param {() => Promise<void>} tell @param {() => Promise<void>} [onFailure] keeps what helps to understand
 */
export async function chapter(name, tell, onFailure) {
  if (broken) {
    check(`${name}: not reached`, false);
    return;
  }
  console.log(`-- ${name}`);
  try {
    await tell();
  } catch (error) {
    broken = true;
    check(name, false, error.stack);
    await onFailure?.();
  }
}

/** The closing line; the exit code says whether all went well. */
export function close(note = '') {
  console.log(`${passed} passed, ${failed} failed ${note}`.trimEnd());
  return failed ? 1 : 0;
}
