import { mount } from 'svelte';
import App from './app/App.svelte';
import { Salon } from './state/salon.svelte.ts';
import './ui/fonts.css';
import './ui/tokens.css';
import './ui/base.css';

const salon = new Salon();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target, props: { salon } });
void salon.session.load();

if ('serviceWorker' in navigator && import.meta.env.PROD) {
  void navigator.serviceWorker.register('/service-worker.js').catch(() => undefined);
}
