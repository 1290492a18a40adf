"""Who may do what: API keys, logins in the browser, the gate before every route, the audit log."""
