// The main job, as a newcomer meets it: `grantor dev` prints a command, the command shows a code, a real browser approves it, tokens come.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { DESK, PHONE, browse } from './lib/browser.mjs';
import { Dev } from './lib/dev.mjs';
import { readQr } from './lib/qr.mjs';

const dev = new Dev();
before(() => dev.start());
afterEach((context) => {
  if (context.passed === false) console.error(dev.log());
});
after(async () => assert.deepEqual(await dev.stop(), [0, null], 'a server that is told to stop ends with 0'));

const LOOKS = [
  { name: '390-light', viewport: PHONE, colorScheme: 'light' },
  { name: '390-dark', viewport: PHONE, colorScheme: 'dark', json: true },
  { name: '1280-light', viewport: DESK, colorScheme: 'light', json: true },
  { name: '1280-dark', viewport: DESK, colorScheme: 'dark', typed: true },
  { name: '390-light-without-scripts', viewport: PHONE, colorScheme: 'light', javaScriptEnabled: false },
];

for (const { name, json = false, typed = false, ...options } of LOOKS) {
  test(`a device gets its tokens, ${name}${json ? ', with --json' : ''}${typed ? ', with the code typed' : ''}`, async () => {
    const command = dev.run(json ? `${dev.deviceLogin} --json` : dev.deviceLogin);
    try {
      const device = json ? JSON.parse((await command.says(/^.*"code".*$/m))[0]) : await shownToPeople(command);
      await browse(name, options, async (page, look) => {
        await page.goto(typed ? device.verification_uri : device.verification_uri_complete);
        await look('1-sign-in');
        await page.fill('#username', dev.username);
        await page.fill('#password', dev.password);
        await page.click('button[value=sign-in]');

        if (typed) await page.fill('#user_code', device.user_code.toLowerCase());
        else assert.equal(await page.inputValue('#user_code'), device.user_code, 'prefilled, as the device shows it');
        await look('2-code');
        await page.click('button[value=continue]');

        assert.equal((await page.textContent('#code')).trim(), device.user_code);
        assert.match(await page.textContent('#device-address'), /127\.0\.0\.1/);
        assert.ok((await page.textContent('#client-name')).trim());
        await look('3-who-asks');
        const [approve, deny] = await Promise.all(['button[value=approve]', 'button[value=deny]'].map((id) => page.locator(id).boundingBox()));
        assert.ok(deny.height >= approve.height - 1, 'RFC 10027 6.1.14: to decline is as easy as to approve');
        await page.click('button[value=approve]');

        assert.ok(await page.locator('#done').isVisible());
        await look('4-done');
      });
      assert.equal(await command.exit(), 0, command.errors);
      const tokens = json ? command.output.trim().split('\n').map((line) => JSON.parse(line)).find(({ event }) => event === 'tokens') : undefined;
      if (tokens) assert.ok(tokens.access_token && tokens.refresh_token && tokens.token_type);
      else assert.match(command.output, /grantor_rt_\S+/);
    } finally {
      command.stop();
    }
  });
}

test('a wrong password and a wrong code are told, for everyone', async () => {
  for (const { name, viewport, colorScheme } of LOOKS.slice(0, 4)) {
    await browse(name, { viewport, colorScheme }, async (page, look) => {
      page.removeAllListeners('response').removeAllListeners('console');
      await page.goto(`${dev.origin}/device`);
      await page.fill('#username', dev.username);
      await page.fill('#password', 'wrong password');
      await page.click('button[value=sign-in]');
      assert.ok(await page.locator('#error').isVisible());
      await look('5-wrong-password');
      await page.fill('#username', dev.username);
      await page.fill('#password', dev.password);
      await page.click('button[value=sign-in]');
      await page.fill('#user_code', 'bcdf ghjk');
      await page.click('button[value=continue]');
      assert.ok(await page.locator('#error').isVisible());
      await look('6-wrong-code');
    });
  }
});

test('a device that is denied ends with an error', async () => {
  const command = dev.run(`${dev.deviceLogin} --json`);
  try {
    const device = JSON.parse((await command.says(/^.*"code".*$/m))[0]);
    await browse('1280-light', { viewport: DESK, colorScheme: 'light' }, async (page, look) => {
      await page.goto(device.verification_uri_complete);
      await page.fill('#username', dev.username);
      await page.fill('#password', dev.password);
      await page.press('#password', 'Enter');
      await page.click('button[value=continue]');
      await page.click('button[value=deny]');
      await look('7-denied');
    });
    assert.notEqual(await command.exit(), 0);
    assert.match(command.output + command.errors, /access_denied/);
  } finally {
    command.stop();
  }
});

test('the machine that was printed gets its token', async () => {
  const command = dev.run(dev.machine);
  assert.equal(await command.exit(), 0, command.errors);
  assert.ok(JSON.parse(command.output).access_token, command.output);
});

/// What a person takes from the terminal: the address and the code by reading, the complete address by a phone's camera.
async function shownToPeople(command) {
  const [, verification_uri] = await command.says(/(https?:\S+\/device)\s/);
  const [user_code] = await command.says(/\b[A-Z]{4}-[A-Z]{4}\b/);
  await command.says(/[▀▄█][\s\S]*\n(?![^\n]*[▀▄█])[^]*$/);
  const verification_uri_complete = readQr(command.output);
  assert.equal(verification_uri_complete, `${verification_uri}?user_code=${user_code}`, `the QR code in\n${command.output}`);
  return { verification_uri, verification_uri_complete, user_code };
}
