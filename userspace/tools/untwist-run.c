/* SPDX-License-Identifier: MIT */
/* untwist-run: runs a service that is a shared object with the symbol utw_program. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#include <untwist/failure.h>
#include <untwist/program.h>

static const struct utw_program *loaded;

static int module_setup(struct utw_run *run, int argc, char **argv, struct utw_failure **why)
{
	void *module;

	if (argc < 1) {
		fprintf(stderr, "untwist-run: no module given\nTry 'untwist-run --help'.\n");
		return UTW_EXIT_USAGE;
	}
	/* Never closed: its services run until the process ends. */
	module = dlopen(argv[0], RTLD_NOW);
	if (!module) {
		*why = utw_failure_from_errno(-ENOENT, "load", "%s", dlerror());
		return -ENOENT;
	}
	loaded = dlsym(module, "utw_program");
	if (!loaded || !loaded->setup) {
		*why = utw_failure_from_errno(-ENOEXEC, "load", "%s: has no utw_program", argv[0]);
		return -ENOEXEC;
	}
	return loaded->setup(run, argc - 1, argv + 1, why);
}

static void module_reload(struct utw_run *run)
{
	if (loaded->reload)
		loaded->reload(run);
}

static void module_teardown(struct utw_run *run)
{
	if (loaded && loaded->teardown)
		loaded->teardown(run);
}

int main(int argc, char **argv)
{
	static const struct utw_program program = {
		.name = "untwist-run",
		.version = UNTWIST_VERSION,
		.help = "MODULE [ARG]...\n"
			"Run the service in MODULE, a shared object; a path without a slash is looked\n"
			"for where the system keeps its libraries.",
		.setup = module_setup,
		.reload = module_reload,
		.teardown = module_teardown,
	};

	return utw_main(&program, argc, argv);
}
