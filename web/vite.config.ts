import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { build } from 'vite';
import { defineConfig } from 'vitest/config';
import { WEB_PREFIXES } from './src/protocol/server-paths.ts';

/** Where `npm run dev` sends what is not the client: a Salon server. */
const SERVER = process.env['SALON_SERVER'] ?? 'http://127.0.0.1:8000';

/**
 * Adds the service worker, bundled by itself into one classic script: what it shares with the client would else become a file
 * that only a module may import, and not every browser runs a service worker as a module.
 *
 * It is told which files make the shell. Their names carry hashes, so they are only known once everything else is bundled.
 */
function serviceWorker(): Plugin {
  return {
    name: 'salon-service-worker',
    apply: 'build',
    async generateBundle(_options, bundle) {
      // The Latin fonts belong to the shell; the extended alphabets are fetched by the browser when a page needs them.
      const files = Object.keys(bundle).filter((name) => /^assets\/.*\.(js|css|woff2)$/.test(name) && !/-latin-ext-/.test(name));
      const shell = ['/', '/offline.html', '/manifest.webmanifest', '/icons/icon.svg', ...files.sort().map((name) => `/${name}`)];
      const built = await build({
        configFile: false,
        logLevel: 'warn',
        publicDir: false,
        define: { __SALON_SHELL__: JSON.stringify(shell) },
        build: {
          write: false,
          target: 'es2022',
          rollupOptions: { input: 'src/sw/service-worker.ts', output: { format: 'iife' } },
        },
      });
      if (!('output' in built) || built.output.length !== 1) throw new Error('the service worker is one file');
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source: built.output[0].code });
    },
  };
}

/** Puts `.br` and `.gz` beside each text file, so that the server compresses nothing by itself. */
function compressed(): Plugin {
  let folder = '';
  return {
    name: 'salon-compressed',
    apply: 'build',
    configResolved: (config) => {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(js|css|html|svg|webmanifest)$/.test(entry)) continue;
        const path = join(folder, entry);
        const content = readFileSync(path);
        writeFileSync(`${path}.br`, brotliCompressSync(content));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), serviceWorker(), compressed()],
  resolve: mode === 'test' ? { conditions: ['browser'] } : {},
  build: {
    outDir: '../salon/web/client',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { app: 'index.html' },
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: {
    port: 5173,
    proxy: {
      ...Object.fromEntries(WEB_PREFIXES.map((prefix) => [prefix, SERVER])),
      '/ws': { target: SERVER, ws: true },
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['tests/setup.ts'],
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    // One worker that keeps its page: making a jsdom for each file costs more than all tests together.
    pool: 'threads',
    maxWorkers: 1,
    isolate: false,
  },
}));
