/** `candlestate verify` as a process of its own: what the bin does around a command, and its flags as JSON. */
import { EXIT } from '../../machines/model/exit-code.ts';
import { usageText } from '../../src/cli/usage.ts';
import { verify } from '../../src/cli/verify.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { takeEarlySignals } from '../../src/supervisor/early-signals.ts';
import { leave } from '../../src/supervisor/leave.ts';

takeEarlySignals();
process.stdout.on('error', () => undefined);
const code = await verify(JSON.parse(process.argv[2] ?? '{}')).catch((error: unknown) => {
  if (!(error instanceof ConfigurationError)) throw error;
  process.stderr.write(usageText('verify', error));
  return EXIT.usage;
});
leave(code, async () => undefined);
