import { createTransport } from 'nodemailer';
import { number } from '../../shared/settings.js';

const timeout = number('STEP_TIMEOUT_MS', 5000);
const transport = createTransport(process.env.SMTP_URL ?? 'smtp://127.0.0.1:1025', {
  from: 'workflow@example.com',
  connectionTimeout: timeout,
  greetingTimeout: timeout,
  socketTimeout: timeout,
});

export async function sendEmail({ to, subject, text = '' }) {
  const { messageId } = await transport.sendMail({ to, subject, text });
  return { messageId };
}
