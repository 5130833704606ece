/** Where the page begins. */
import { render } from 'preact';

const place = document.getElementById('page');
if (place !== null) render(<p>candlestate</p>, place);
