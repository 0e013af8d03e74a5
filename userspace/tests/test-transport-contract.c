/* SPDX-License-Identifier: MIT */
/*
 * The contract of transports, over every kind that needs nothing but this
 * machine, and the device that UNTWIST_TEST_DEVICE names. The tests are in the
 * contract-*.c.
 */
#include "contract.h"

int main(void)
{
	const struct pair_kind *kinds[] = {
		&pair_pipe,	    &pair_socket, &pair_seqpacket,     &pair_tcp,
		&pair_unix,	    &pair_memory, &pair_memory_record, &pair_layer,
		&pair_layer_record, &pair_serial, &pair_terminal,
	};
	struct pair_kind device;
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		failed += contract_run(kinds[i]);
	if (pair_probe_device(&device))
		failed += contract_run(&device);
	return failed ? 1 : 0;
}
