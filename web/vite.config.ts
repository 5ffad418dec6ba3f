import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` sends what is not the client: a Salon server. */
const SERVER = process.env['SALON_SERVER'] ?? 'http://127.0.0.1:8000';

/**
 * Tells the service worker which files make the shell, and which build they belong to.
 *
 * The names carry hashes, so they are only known once everything else is bundled.
 */
function shellList(): Plugin {
  return {
    name: 'salon-shell-list',
    apply: 'build',
    generateBundle(_options, bundle) {
      const worker = bundle['service-worker.js'];
      if (worker?.type !== 'chunk') throw new Error('the bundle has no service-worker.js');
      // The Latin fonts belong to the shell; the extended alphabets are fetched by the browser when a page needs them.
      const files = Object.keys(bundle).filter((name) => /^assets\/.*\.(js|css|woff2)$/.test(name) && !/-latin-ext-/.test(name));
      const shell = ['/', '/offline.html', '/manifest.webmanifest', '/icons/icon.svg', ...files.sort().map((name) => `/${name}`)];
      const parts = worker.code.split(/["'`]__SALON_SHELL__["'`]/);
      if (parts.length !== 2) throw new Error('the service worker names its shell exactly once');
      worker.code = parts.join(JSON.stringify(JSON.stringify(shell)));
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
  plugins: [svelte(), shellList(), compressed()],
  resolve: mode === 'test' ? { conditions: ['browser'] } : {},
  build: {
    outDir: '../salon/web/client',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { app: 'index.html', 'service-worker': 'src/sw/service-worker.ts' },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'service-worker' ? 'service-worker.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: {
    port: 5173,
    proxy: {
      '/api': SERVER,
      '/_allauth': SERVER,
      '/uploads': SERVER,
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
