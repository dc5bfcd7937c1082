#!/usr/bin/env node
// Makes the JavaScript build of solc look like a native compiler to forge: it answers `--version`, and compiles the
// standard JSON that stands on standard input. It is not solc's command line: every other flag is accepted and ignored,
// because forge passes all sources inline and the flags (`--allow-paths`, `--base-path`) only steer reads from disk.
// script/setup copies this file next to the `node_modules` that package-lock.json describes.
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Writes all of `text`, also into a pipe whose reader is slower than the compiler. */
function writeAll(text) {
  const bytes = Buffer.from(text, 'utf8');
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

if (process.argv.includes('--version')) {
  // forge reads the version with a pattern that expects a native build's suffix in place of Emscripten's.
  const { version } = require('solc/package.json');
  const commit = { '0.8.30': '73712a01' }[version];
  if (!commit) throw new Error(`solc ${version} is not the version this wrapper knows; fix package.json`);
  writeAll(`solc, the solidity compiler commandline interface\nVersion: ${version}+commit.${commit}.Linux.g++\n`);
} else {
  const solc = require('solc');
  // soljson installs handlers that rethrow and print its whole source on any error.
  process.removeAllListeners('uncaughtException');
  process.removeAllListeners('unhandledRejection');
  writeAll(solc.compile(readFileSync(0, 'utf8')));
}
