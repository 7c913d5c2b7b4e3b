import { render } from 'preact';
import { App } from './app.tsx';
import { listenToKeys } from './keys.ts';
import { connect } from './live.ts';
import { applyTheme } from './theme.ts';

applyTheme();
listenToKeys();
connect();
render(<App />, document.getElementById('page')!);
