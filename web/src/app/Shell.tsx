import { Link, Outlet } from '@tanstack/react-router'
import { Icon } from '../ui/Icon'
import { Account } from './Account'
import { AwayBanner } from './AwayBanner'
import { SchemeToggle } from './SchemeToggle'
import classes from './Shell.module.css'

export function Shell() {
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className={classes.header}>
        <div className={classes.bar}>
          <Link to="/runner" className={classes.brand}>
            <span className={classes.mark}>
              <Icon name="bars" size={14} />
            </span>
            Benchmark Runner
          </Link>
          <nav aria-label="Main" className={classes.nav}>
            <a href="/docs" className={classes.link}>
              API
            </a>
            <Account />
            <SchemeToggle />
          </nav>
        </div>
        <AwayBanner />
      </header>
      <main id="main" className={classes.main} tabIndex={-1}>
        <Outlet />
      </main>
    </>
  )
}
