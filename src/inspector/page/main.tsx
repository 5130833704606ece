/** Where the page begins. */
import './style/theme.css';
import './style/base.css';
import './style/strip.css';
import './style/tree.css';
import './style/middle.css';
import './style/right.css';
import { render } from 'preact';
import { keepConnected } from './connection.ts';
import { startClock } from './frame/clock.ts';
import { listenToKeys } from './frame/keys.ts';
import { followAddress } from './frame/place.ts';
import { followTheme } from './frame/theme.ts';
import { Page } from './page.tsx';
import { growForest } from './tree/view.ts';

followTheme();
// Before whatever asks the forest about what was heard.
growForest();
followAddress();
listenToKeys();
startClock();

const frame = document.getElementById('page');
if (frame !== null) render(<Page />, frame);
keepConnected();
