import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const backend = process.env.BENCHMARK_RUNNER_URL ?? 'http://127.0.0.1:8000'

// The login page is built apart, as it is open to strangers and the rest is not.
export default defineConfig(({ mode }) => ({
  plugins: [react()],
  server: {
    proxy: { '/admin': backend, '/health': backend, '/ready': backend, '/logout': backend },
  },
  ...(mode === 'login' && { base: '/login/', publicDir: false as const }),
  build: {
    ...(mode === 'login' && {
      outDir: 'dist/login',
      rolldownOptions: { input: { index: 'login.html' } },
    }),
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
}))
