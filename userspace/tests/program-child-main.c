/* SPDX-License-Identifier: MIT */
/* program-child.c as a program that calls utw_main() itself. */
#include <untwist/program.h>

extern const struct utw_program utw_program;

int main(int argc, char **argv)
{
	return utw_main(&utw_program, argc, argv);
}
