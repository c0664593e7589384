// Starts the app: asks the page's own server for the portal's URL, then renders.
import {createRoot} from 'react-dom/client';
import {BrowserRouter} from 'react-router';
import App from './App';

const {portal} = await fetch('/config.json').then((response) => response.json());

const root = createRoot(document.getElementById('root'));

// If the portal does not answer, the vendor's provider renders nothing at all.
fetch(`${portal}/api/v2/feature/`).then(
  () =>
    root.render(
      <BrowserRouter>
        <App portal={portal} />
      </BrowserRouter>
    ),
  () => root.render(`Nothing answers at ${portal}, or it does not allow pages of ${window.location.origin}.`)
);
