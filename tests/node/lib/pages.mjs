// The pages that people read: README and the book, cut into what can be tried. A comment on the line before a block says what becomes of it.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from './server.mjs';

export const BOOK = 'docs/src';
export const EXAMPLE_PAGES = ['README.md', 'conformance/openid-suite.md', 'examples/manage-by-api/README.md', 'examples/microservices/README.md', 'examples/spa-and-api/README.md', ...(await markdownBelow(BOOK))];
/// Those of whom only the links are looked at, too.
export const ALL_PAGES = [...EXAMPLE_PAGES, 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'bench/README.md', 'bench/RESULTS.md', 'conformance/README.md', 'conformance/clients/README.md'];

export function textOf(page) {
  return readFile(join(ROOT, page), 'utf8');
}

async function markdownBelow(folder) {
  const names = await readdir(join(ROOT, folder), { recursive: true });
  return names.filter((name) => name.endsWith('.md')).sort().map((name) => join(folder, name));
}

/// The fenced blocks, and the comments that stand for themselves, in their order: `{ line, language, text, mark }`, without a language for a comment.
export function parts(text) {
  const found = [];
  let mark = '';
  let block;
  text.split('\n').forEach((line, at) => {
    if (block) {
      if (line.trim() === '```') block = undefined;
      else block.text += `${line}\n`;
      return;
    }
    const fence = /^\s*```(\S*)/.exec(line);
    const comment = /^\s*<!-- (.*) -->$/.exec(line);
    if (fence) {
      block = { line: at + 1, language: fence[1], text: '', mark };
      found.push(block);
      mark = '';
    } else if (comment) {
      if (PEOPLE.includes(comment[1])) found.push({ line: at + 1, text: '', mark: comment[1] });
      else mark = comment[1];
    } else if (line.trim() !== '') {
      mark = '';
    }
  });
  return found;
}

/// Where a person does by hand what stands before.
export const APPROVES = 'a person approves';
export const SIGNS_IN = 'a person signs in';
const PEOPLE = [APPROVES, SIGNS_IN];

export const RUN = /^run(?<background>: background)?$/;
export const FILE = /^file: (?<name>[\w.]+)$/;
export const ANSWER = /^answer(?<part>: part)?$/;
export const NOT_RUN = /^not run: .{10,}$/;
/// A block that shows a file of the repository, to the letter.
export const SAME = /^a file of the repository: (?<path>[\w./@-]+)$/;

/// What a block of each language may be marked as; a language that is not here needs no mark, and is not tried.
export const MARKS = {
  sh: [RUN, NOT_RUN, SAME],
  toml: [FILE, /^$/],
  json: [ANSWER, NOT_RUN],
};
/// Programs of clients are not: tests of `tests/` do the same.
export const UNTRIED = ['text', 'ini', 'yaml', 'nginx', 'caddyfile', 'apache', 'js', 'python', 'rust', 'java', 'go'];
