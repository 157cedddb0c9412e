// A script of the pages that needs no page, for a test in node: under its own name an older node would take it for CommonJS.

import { readFileSync } from 'node:fs';

/** @param {string} name of a file below src/web/assets/js that imports nothing */
export const pageModule = (name) => {
  const text = readFileSync(new URL(`../../../src/web/assets/js/${name}`, import.meta.url), 'utf8');
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
};
