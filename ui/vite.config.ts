import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { sizes } from './scripts/sizes.mjs';

export default defineConfig({
  plugins: [svelte(), sizes()],
  server: {
    host: '127.0.0.1',
    proxy: { '/api': process.env['THROUGHLINE_URL'] ?? 'http://127.0.0.1:4300' },
  },
  build: {
    target: 'es2022',
    // The map's layout and the charts are for those who open them.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
});
