# For GNU make 3.81 or later and a POSIX shell. `make` alone lists what there is.

# The interpreter that .venv is made with; found by tools/find_python.sh if not given.
PYTHON ?=
# How many tests run side by side.
JOBS ?= 2
# More options for JupyterLab, as in: make lab LAB_ARGS=--no-browser
LAB_ARGS ?=
# What `make notebooks` runs, as in: make notebooks NOTEBOOKS=notebooks/03_squash.ipynb
NOTEBOOKS ?= $(wildcard notebooks/*.ipynb notebooks/solutions/*.ipynb)
# Where the site will be, as in: make site ADDRESS=https://example.org/capsules/
ADDRESS ?=
# On GitHub, as in: make site REPOSITORY=owner/name; the pages then open in Colab and Binder, too
REPOSITORY ?=
# Where `make lite` takes Pyodide from, an unpacked release or its address; without it, the official one
PYODIDE ?=
# Which exercises `make class` sets, as in: make class EXERCISES="unsquash broken_routers"; without any, all
EXERCISES ?=

PY = .venv/bin/python
APART = KERAS_BACKEND=tensorflow sh tools/apart.sh
# In tests side by side: threads of TensorFlow would wait for each other whenever another test has the other core.
ONE_THREAD = TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
CNNS = matched_cnn_flatten matched_cnn_global
PICTURES = tests/library/plots $(addprefix tests/library/test_,bugs.py conditions.py digits.py effects.py em_routing.py equations.py \
    exercises_lesson_04.py exercises_lesson_12.py intervals.py limits.py moments.py pairs.py poses.py scores.py transforms.py) \
    $(addprefix tests/widgets/test_,diagnosis.py join.py margin_loss_explorer.py quiz.py squash_explorer.py traits.py vote_router.py)
NEUTRAL = $(addprefix tests/library/test_,attention.py equations.py gradients.py layers.py losses.py models.py tracing.py training.py)

.PHONY: help setup lab test coverage lint notebooks site lite class figures weights bench experiments test-backends test-class test-oldest lock clean

help:
	@echo "make lab            open the course in JupyterLab (sets everything up the first time)"
	@echo "make setup          make .venv with the locked packages; PYTHON=python3.12 chooses the interpreter"
	@echo "make test           lint, unit tests, and every notebook run again and compared"
	@echo "make coverage       the tests of capslib outside a browser, and which of its lines they run"
	@echo "make lint           style, spelling, imports between rooms, types, and the JavaScript alone"
	@echo "make notebooks      run notebooks and save their outputs; NOTEBOOKS=... chooses which"
	@echo "make site           make build/site, the course as a web site; ADDRESS=https://... for its sitemap,"
	@echo "                    REPOSITORY=owner/name for links to Colab and Binder"
	@echo "make lite           the site with lessons 02-05 running in it, without Jupyter; PYODIDE=... is a folder or an address"
	@echo "make class          make class/, a course of nbgrader from the exercises; EXERCISES=... chooses which"
	@echo "make figures        draw figures/*.svg again"
	@echo "make weights        train the shipped networks again (hours; needs the full MNIST set)"
	@echo "make bench          time the capsule layer beside the article's, and race the recipes (an hour; needs a machine to itself)"
	@echo "make experiments    train and test the matched networks of lesson 11 (hours; needs the full MNIST set)"
	@echo "make test-backends  the tests of layers and training on JAX and PyTorch, where .venv has them"
	@echo "make test-oldest    the tests of what \`pip install capslib\` brings, on the oldest versions it accepts"
	@echo "make test-class     the tests that grade a class, with nbgrader in an environment of its own"
	@echo "make lock           solve requirements.lock again from pyproject.toml"
	@echo "make clean          remove .venv and what tests leave behind"

setup:
	@sh tools/setup.sh "$(PYTHON)"

# Loopback only, with the token that Jupyter draws; setup.sh turned the question about news off. Jupyter refuses to run as
# root unless told, which is who one is in most containers.
lab: setup
	@export KERAS_BACKEND=$${KERAS_BACKEND:-tensorflow} && \
	$(PY) -c "import sys; from capslib.checks import backend_problem; sys.exit(backend_problem())" && \
	$(PY) -m jupyterlab --ServerApp.root_dir="$$PWD" --ServerApp.ip=127.0.0.1 \
	    --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
	    $$(test "$$(id -u)" != 0 || echo --allow-root) $(LAB_ARGS)

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m codespell_lib
	@$(PY) -c "from importlinter.cli import lint_imports_command as lint; lint()" --no-logo --no-cache
	@$(PY) -m mypy
	@sh tools/lint_js.sh

# One pytest run for all, so that its last line counts everything.
test: lint
	@$(ONE_THREAD) $(APART) $(PY) -m pytest tests notebooks -n $(JOBS) --dist loadfile \
	    --nbval --nbval-sanitize-with tests/notebooks/nbval_sanitize.cfg --nbval-cell-timeout 600

# Apart from `make test`, because watching every call takes half as long again. It counts what the tests run in their own
# process.
coverage: setup
	@$(ONE_THREAD) $(APART) $(PY) -m pytest tests/library tests/widgets --ignore=tests/widgets/browser -n $(JOBS) --dist loadfile --cov=capslib --cov-report=term

notebooks: setup
	@$(APART) $(PY) tools/render.py $(NOTEBOOKS)

# Pages that need no Jupyter and no kernel, for any static host, or a browser alone; their widgets live.
site: setup
	@sh tools/site_env.sh
	@$(PY) -m tools.web --address "$(ADDRESS)" --repository "$(REPOSITORY)"

# The site, and in its folder try the lessons that run in a browser.
lite: setup
	@sh tools/site_env.sh
	@sh tools/lite_env.sh
	@$(PY) -m tools.lite --address "$(ADDRESS)" --repository "$(REPOSITORY)" --pyodide "$(PYODIDE)"

class: setup
	@$(PY) -m tools.assignments $(EXERCISES)

figures: setup
	@for script in figures/*.py; do echo "$$script"; $(APART) $(PY) "$$script" || exit 1; done

weights: setup
	@for seed in 0 1 2; do for model in article_capsnet $(CNNS); do \
	    $(PY) -m capslib.training $$model --recipe best --seed $$seed --resume || exit 1; done; done
	@$(PY) -m capslib.training article_capsnet --recipe article --seed 0 --resume
	@test -f runs/article_capsnet-article-0/result.json || { echo "weights: the article's run was not finished" >&2; exit 1; }
	@for model in article_capsnet $(CNNS); do $(PY) tools/ship.py $$model 0 1 2 || exit 1; done
	@for seed in 0 1 2; do for model in pose_capsnet pose_capsnet_without_decoder; do \
	    $(PY) -m capslib.training $$model --recipe pose --seed $$seed --resume || exit 1; done; done
	@for seed in 0 1 2; do for model in two_digit_capsnet two_digit_cnn; do \
	    $(PY) -m capslib.training $$model --recipe pairs --seed $$seed --resume || exit 1; done; done
	@for seed in 0 1 2; do for model in efficient_capsnet efficient_capsnet_uniform efficient_cnn; do \
	    $(PY) -m capslib.training $$model --recipe efficient --seed $$seed --resume || exit 1; done; done
	@for model in efficient_capsnet efficient_cnn; do \
	    $(PY) tools/ship.py $$model 0 1 2 --recipe efficient --half || exit 1; done
	@$(PY) tools/ship.py pose_capsnet 0 1 2 --recipe pose --half
	@$(PY) tools/ship.py two_digit_capsnet 0 1 2 --recipe pairs --half
	@for run in pose_capsnet_without_decoder-pose efficient_capsnet_uniform-efficient; do for seed in 0 1 2; do \
	    cp runs/$$run-$$seed/result.json notebooks/results/$$run-$$seed.json || exit 1; done; done
	@$(PY) -m tools.pose_controls
	@$(PY) -m tools.measure_pose
	@$(PY) -m tools.measure_two_digits
	@cp runs/article_capsnet-article-0/result.json notebooks/results/article_capsnet-article-0.json
	@echo "Now run 'make notebooks': what they show depends on the weights."

bench: setup
	@$(PY) -m benchmarks.speed
	@$(PY) -m benchmarks.race
	@$(PY) -m benchmarks.widgets

# An interrupted grid goes on where it stopped.
experiments: setup
	@$(PY) -m capslib.experiments
	@$(PY) -m capslib.experiments --collect

test-backends: setup
	@sh tools/apart.sh sh tools/test_backends.sh $(NEUTRAL)

test-class: setup
	@sh tools/class_env.sh
	@$(APART) $(PY) -m pytest tests/project/test_assignments.py

test-oldest: setup
	@sh tools/oldest_env.sh
	@sh tools/apart.sh build/oldest-env/bin/python -m pytest -n $(JOBS) -p no:cacheprovider $(PICTURES)

lock: setup
	@$(PY) -m uv pip compile --quiet --universal --no-header --python-version 3.11 pyproject.toml --extra course --group dev \
	    -o requirements.lock

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .mypy_cache build capslib.egg-info
