import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';

const made: string[] = [];
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Makes a folder with package.json files: path to content; a text is a link to another path. @returns the folder */
export function app(files: Readonly<Record<string, object | string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'doctor-')));
  made.push(folder);
  for (const [path, content] of Object.entries(files)) {
    const at = join(folder, path);
    mkdirSync(dirname(at), { recursive: true });
    if (typeof content === 'string') symlinkSync(join(folder, content), at);
    else {
      mkdirSync(at, { recursive: true });
      writeFileSync(join(at, 'package.json'), JSON.stringify(content));
    }
  }
  return folder;
}
