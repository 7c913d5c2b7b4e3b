import express from 'express';
import { counted, start } from './control.cjs';

const app = express();
app.get('/users/:id', (req, res) => {
  counted();
  res.json({ id: req.params.id, name: 'Ada', plan: 'free' });
});

start(app.listen(0, '127.0.0.1'));
