import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ansi, plain, visible } from '../../viewer/page/text.ts';

const ESC = '\u001b';

test('colour sequences become classes, and end where they end', () => {
  assert.deepEqual(ansi(`a${ESC}[31mred${ESC}[1mbold${ESC}[22m${ESC}[39mplain`), [
    { text: 'a', classes: [] },
    { text: 'red', classes: ['a-1'] },
    { text: 'bold', classes: ['a-bold', 'a-1'] },
    { text: 'plain', classes: [] },
  ]);
  assert.deepEqual(ansi(`${ESC}[92mgreen${ESC}[mnone`), [
    { text: 'green', classes: ['a-10'] },
    { text: 'none', classes: [] },
  ]);
});

test('256 and 24-bit colours become one colour value, backgrounds are read past', () => {
  assert.deepEqual(ansi(`${ESC}[38;5;196mx`), [{ text: 'x', classes: [], color: '#ff0000' }]);
  assert.deepEqual(ansi(`${ESC}[38;5;9mx`), [{ text: 'x', classes: ['a-9'] }]);
  assert.deepEqual(ansi(`${ESC}[38;5;244mx`), [{ text: 'x', classes: [], color: '#808080' }]);
  assert.deepEqual(ansi(`${ESC}[38;2;1;2;300mx`), [{ text: 'x', classes: [], color: '#0102ff' }]);
  assert.deepEqual(ansi(`${ESC}[48;2;31;31;31;32mx`), [{ text: 'x', classes: ['a-2'] }]);
});

test('links, titles, cursor moves and broken sequences leave nothing behind', () => {
  assert.equal(plain(`${ESC}]8;;https://evil.example${ESC}\\text${ESC}]8;;${ESC}\\`), 'text');
  assert.equal(plain(`${ESC}]0;title\u0007a${ESC}[2J${ESC}[1;1Hb${ESC}(Bc`), 'abc');
  assert.equal(plain(`a${ESC}[`), 'a');
  assert.equal(plain(`${ESC}Pq#0;2;0;0;0${ESC}\\after`), 'after');
});

test('what cannot be seen is shown: controls, directions, zero width', () => {
  assert.equal(visible('a\u0000b\u0007'), 'a␀b␇');
  assert.equal(visible('x\u202Ey\u2066z\u200b'), 'x⟨202E⟩y⟨2066⟩z⟨200B⟩');
  assert.equal(visible('line\r\n\tnext'), 'line\n\tnext');
});

test('any text gives pieces without control characters, in the order of the text', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(ESC, `${ESC}[`, `${ESC}[31m`, `${ESC}]8;;`, '\u0007', '38;5;', '\u202e', 'm'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (parts) => {
      const shown = ansi(parts.join(''));
      for (const { text, classes, color } of shown) {
        assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        for (const name of classes) assert.match(name, /^a-(\d{1,2}|bold|dim|italic|underline|strike)$/);
        if (color !== undefined) assert.match(color, /^#[0-9a-f]{6}$/);
      }
      assert.equal(shown.map(({ text }) => text).join(''), plain(parts.join('')));
    }),
  );
});
