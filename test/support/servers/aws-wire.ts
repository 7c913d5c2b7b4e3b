import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Server } from './program.ts';

/**
 * No AWS: an HTTP server that answers a few calls of S3 (REST and XML), DynamoDB (JSON 1.0) and SQS (JSON, and the XML of its
 * older clients) as they are documented. It checks that a request is signed and that what is signed came as it was signed for.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export async function startAwsWire(): Promise<Server & { readonly url: string }> {
  let throttled = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    response.setHeader('x-amzn-requestid', 'request-7');
    response.setHeader('x-amz-request-id', 'request-7');
    if (!isSigned(request)) return void response.writeHead(403).end();
    const target = request.headers['x-amz-target'];
    if (target !== undefined) json(response, String(target).split('.')[1], JSON.parse(body));
    else if (body.startsWith('Action=') || body.includes('&Action=')) xml(response, new URLSearchParams(body));
    else object(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  function json(response: ServerResponse, action: string, input: any): void {
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    const answer = (status: number, body: object) => void response.writeHead(status).end(JSON.stringify(body));
    const fault = (type: string) => answer(400, { __type: `com.amazonaws.any#${type}`, message: 'secret-value' });
    if (action === 'SendMessage') answer(200, { MessageId: 'm-1', MD5OfMessageBody: md5(input.MessageBody) });
    else if (action === 'SendMessageBatch')
      answer(200, {
        Successful: [{ Id: 'a', MessageId: 'm-1', MD5OfMessageBody: md5(input.Entries[0].MessageBody) }],
        Failed: [{ Id: 'b', Code: 'InternalError', SenderFault: false }],
      });
    else if (input.TableName === 'nowhere') fault('ResourceNotFoundException');
    else if (input.TableName === 'busy' && throttled++ % 2 === 0) fault('ProvisionedThroughputExceededException');
    else if (input.ConditionExpression) fault('ConditionalCheckFailedException');
    else answer(200, action === 'GetItem' ? { Item: { id: { S: '1' }, name: { S: 'Ada' } } } : {});
  }

  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.close();
    server.closeAllConnections();
  };
  const unused = () => {
    throw new Error('nobody needs this of it');
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop,
    kill: stop,
    pause: unused,
    resume: unused,
    restart: unused,
    [Symbol.asyncDispose]: stop,
  };
}

function isSigned({ headers }: IncomingMessage): boolean {
  const [, signed] = /^AWS4-HMAC-SHA256 .*SignedHeaders=([\w;-]+)/.exec(headers.authorization ?? '') ?? [];
  // What was added on the way is not among them, and what is among them has come.
  return signed?.split(';').every((name) => headers[name] !== undefined && name !== 'traceparent') === true;
}

function xml(response: ServerResponse, input: URLSearchParams): void {
  const action = input.get('Action');
  response.setHeader('content-type', 'text/xml');
  if (input.get('QueueUrl')?.endsWith('/nowhere')) {
    response.writeHead(400);
    response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>secret-value</Message></Error><RequestId>request-7</RequestId></ErrorResponse>`,
    );
    return;
  }
  const md5s = `<MD5OfMessageBody>${md5(input.get('MessageBody') ?? '')}</MD5OfMessageBody><MessageId>m-1</MessageId>`;
  response.end(
    `<${action}Response><${action}Result>${md5s}</${action}Result><ResponseMetadata><RequestId>request-7</RequestId></ResponseMetadata></${action}Response>`,
  );
}

function object({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  if (url.includes('missing')) {
    response.writeHead(404, { 'content-type': 'application/xml' });
    response.end('<Error><Code>NoSuchKey</Code><Message>no such key</Message><RequestId>request-7</RequestId></Error>');
  } else if (url.includes('denied')) {
    response.writeHead(403, { 'content-type': 'application/xml' });
    response.end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
  } else if (method === 'GET') response.end('the content');
  else response.writeHead(200, { etag: '"1"' }).end();
}

function md5(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('md5').update(text).digest('hex');
}
