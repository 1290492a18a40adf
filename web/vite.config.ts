import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const backend = process.env.BENCHMARK_RUNNER_URL ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/admin': backend, '/health': backend, '/ready': backend } },
  build: {
    // Older targets make the minifier rewrite light-dark() and lose colours.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    target: ['chrome123', 'firefox120', 'safari17.5'],
    chunkSizeWarningLimit: 700,
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/test/setup.ts'],
    maxWorkers: 1,
    testTimeout: 20_000,
    css: false,
    restoreMocks: true,
  },
})
