import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  type RouterHistory,
} from '@tanstack/react-router'
import { readCompareSearch } from '../features/compare/search'
import { readDatasetSearch } from '../features/datasets/search'
import { PAGE_ROWS, resultPage } from '../api/results'
import { queryOf, readResultsSearch } from '../features/results/search'
import { readVoteSearch } from '../features/vote/search'
import { ErrorPage, NotFoundPage } from './Fallbacks'
import { readRunnerSearch } from './search'
import { Shell } from './Shell'

const root = createRootRouteWithContext<Pick<Services, 'queries'>>()({
  component: Shell,
  notFoundComponent: NotFoundPage,
  errorComponent: ErrorPage,
})

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- how the router redirects
    throw redirect({ to: '/runner' })
  },
})

const runner = createRoute({
  getParentRoute: () => root,
  path: '/runner',
  validateSearch: readRunnerSearch,
  component: lazyRouteComponent(() => import('./RunnerPage'), 'RunnerPage'),
})

const dataset = createRoute({
  getParentRoute: () => root,
  path: '/datasets/$id',
  validateSearch: readDatasetSearch,
  component: lazyRouteComponent(() => import('../features/datasets/DatasetPage'), 'DatasetPage'),
})

const results = createRoute({
  getParentRoute: () => root,
  path: '/results/$benchmarkId',
  validateSearch: readResultsSearch,
  loaderDeps: ({ search }) => search,
  // The first rows are asked for while the page's own code loads.
  loader: ({ params, deps, context }) => {
    const number = Math.floor((deps.at ?? 0) / PAGE_ROWS)
    const first = resultPage(params.benchmarkId, queryOf(deps), number, false)
    // The page itself reports what goes wrong.
    context.queries.query(first).catch(() => undefined)
  },
  component: lazyRouteComponent(() => import('../features/results/ResultsPage'), 'ResultsPage'),
})

const compare = createRoute({
  getParentRoute: () => root,
  path: '/compare',
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import('../features/compare/ComparePage'), 'ComparePage'),
})

const vote = createRoute({
  getParentRoute: () => root,
  path: '/vote',
  validateSearch: readVoteSearch,
  component: lazyRouteComponent(() => import('../features/vote/VotePage'), 'VotePage'),
})

const routeTree = root.addChildren([home, runner, dataset, results, compare, vote])

export function createAppRouter(queries: QueryClient, history?: RouterHistory) {
  return createRouter({
    routeTree,
    context: { queries },
    ...(history ? { history } : {}),
    defaultPreload: 'intent',
    scrollRestoration: true,
  })
}

export interface Services {
  queries: QueryClient
  router: ReturnType<typeof createAppRouter>
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
