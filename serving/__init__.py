"""The doors: the command line, HTTP, and the page that comes next. A file imports only files above it in this order.

- `errors`, `settings`, `watch`, `schemas*`, `examples*`: what is refused, set, measured, said and shown.
- `sqlite_file`, `postgres`, `faults*`, `database`, `transactions`, `tables*`, `migrations/`: the database.
- `trail/`: who saw or changed what, a chain of lines; `access/`: who comes in, what they may do, and where.
- `sight`, `store`, `listing`, `plan_store`, `decisions`, `keeping`, `shelf`: lists, plans, decisions, as each may see.
- `rows`, `facts`, `told`, `published`, `cards`, `regions`, `quarantined`, `household_page`: what the pipeline made.
- `scorers/`, `champion`: the model in use, in processes that score; `jobs/`: files of households scored in bulk.
- `planning`, `held`, `exporting/`, `backup`, `restoring`, `retention`: lists made, sent out, kept safe and let go.
- `openapi/`, `http/`, `middleware`, `documentation`: the surface; `parts`, `looks`, `paging`, `routes/`: the answers.
- `app`, `server`: the service put together; `commands/`, `cli`: the command line. `client` is for programs that ask.
"""
