'use strict';

require('reflect-metadata');
const common = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const pino = require('pino10');
const start = require('../apps/fixtures/nest-app.cjs');

start(common, (module) => NestFactory.create(module, { logger: false }), pino());
