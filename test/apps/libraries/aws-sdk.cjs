/** Clients of AWS, each with its own few calls: S3, DynamoDB and SQS. */
module.exports = (sdk, endpoint) => {
  const options = {
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'secret-access-key-id', secretAccessKey: 'secret-access-key' },
    maxAttempts: 2,
  };
  if (sdk.S3Client !== undefined) return s3(sdk, options);
  return sdk.DynamoDBClient === undefined ? sqs(sdk, options) : dynamodb(sdk, options);
};

function s3({ S3Client, GetObjectCommand, PutObjectCommand }, options) {
  const client = new S3Client({ ...options, forcePathStyle: true });
  const get = (Key) => client.send(new GetObjectCommand({ Bucket: 'photos', Key }));
  return {
    get: async () => (await get('secret-key')).Body.transformToString(),
    put: async () => {
      await client.send(new PutObjectCommand({ Bucket: 'photos', Key: 'secret-key', Body: 'secret-value' }));
    },
    callback: () =>
      new Promise((resolve, reject) => {
        client.send(new GetObjectCommand({ Bucket: 'photos', Key: 'secret-key' }), (error, { Body } = {}) =>
          error ? reject(error) : resolve(Body.transformToString()),
        );
      }),
    missing: () => get('missing'),
    denied: () => get('denied'),
  };
}

function dynamodb({ DynamoDBClient, GetItemCommand, PutItemCommand }, options) {
  const client = new DynamoDBClient(options);
  const get = (TableName) => client.send(new GetItemCommand({ TableName, Key: { id: { S: 'secret-key' } } }));
  return {
    get: async () => (await get('customers')).Item.name.S,
    document: async () => {
      const { DynamoDBDocumentClient, GetCommand } = require('@aws-sdk/lib-dynamodb');
      const document = DynamoDBDocumentClient.from(client);
      const { Item } = await document.send(new GetCommand({ TableName: 'customers', Key: { id: 'secret-key' } }));
      return Item.name;
    },
    busy: async () => (await get('busy')).Item.name.S,
    nowhere: () => get('nowhere'),
    refused: () =>
      client.send(
        new PutItemCommand({
          TableName: 'customers',
          Item: { id: { S: 'secret-key' } },
          ConditionExpression: 'attribute_not_exists(id)',
        }),
      ),
  };
}

function sqs({ SQSClient, SendMessageCommand, SendMessageBatchCommand }, options) {
  const client = new SQSClient(options);
  const url = (queue) => `${options.endpoint}/123456789012/${queue}`;
  const send = (queue) => client.send(new SendMessageCommand({ QueueUrl: url(queue), MessageBody: 'secret-value' }));
  return {
    send: async () => (await send('orders')).MessageId,
    nowhere: () => send('nowhere'),
    batch: async () => {
      const Entries = ['a', 'b'].map((Id) => ({ Id, MessageBody: 'secret-value' }));
      const { Failed } = await client.send(new SendMessageBatchCommand({ QueueUrl: url('orders'), Entries }));
      return Failed.length;
    },
  };
}
