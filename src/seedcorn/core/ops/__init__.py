"""For those who run it: log lines, metrics, dashboard, submissions, security floors."""
