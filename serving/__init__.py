"""The doors: the page, HTTP and the command line. A file imports only files above it in this order.

- `errors`, `settings`, `watch`, `schemas*`, `examples*`: what is refused, set, measured, said and shown.
- `sqlite_file`, `postgres`, `faults*`, `database`, `transactions`, `tables*`, `migrations/`: the database.
- `trail/`: who saw or changed what, a chain of lines; `access/`: who comes in, what they may do, and where.
- `sight`, `store`, `listing`, `plan_store`, `decisions`, `*_store`, `keeping`, `shelf`: what each may see of it.
- `boundaries`, `later`, `district`, `landscape`, `gaps`: places. `children`: heavy work beside the service.
- `model_history`, `history_chart`, `promoting`, `promoting_work`: what became of the models, and which is champion.
- `rows`, `facts`, `told`, `masked_names`: what is asked and answered, and who is meant, masked.
- `published`, `cards`, `regions`, `quarantined`, `household_page`: what the pipeline made.
- `register_words`, `household_view`, `fact_asked`, `changed_facts`, `measuring`, `field_export`: a household laid out.
- `bands`, `assignments`, `browsing`, `list_totals`, `list_page`, `last_visits`, `field_waiting`: a list looked through.
- `plain_policy`, `previewing`, `frontier_chart`: a list being made; `unchanging`, `warming`: counted once, or ahead.
- `scorers/`, `champion`: the model in use, in processes that score; `jobs/`: files of households scored in bulk.
- `handing_told`, `handing_files`, `handing`, `handing_work`: registers handed over for the next run of the pipeline.
- `scored_run`, `score_keeper`, `score_view`: what every run said of every household, kept and shown.
- `planning`, `held`, `exporting/`, `backup`, `restoring`, `retention`: lists made, sent out, kept safe and let go.
- `openapi/`, `http/`, `middleware`, `documentation`: the surface; `parts`, `looks`, `paging`: of every answer.
- `routes/`: the answers of the API; `pages/`: those that are read.
- `app`, `server`: the service put together; `commands/`, `cli`: the command line. `client` is for programs that ask.
"""
