import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  server: {
    host: '127.0.0.1',
    proxy: { '/api': 'http://127.0.0.1:4300' },
  },
  build: {
    // The page is embedded in the server and usually read over loopback, so
    // one script and one style sheet are quicker than many small files.
    target: 'es2022',
    cssCodeSplit: false,
    reportCompressedSize: true,
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
});
