/* SPDX-License-Identifier: MIT */
/* Factory: see untwist/factory.h. */
#include <untwist/factory.h>

void utw_factory_init(struct utw_factory *f, const struct utw_factory_ops *ops)
{
	f->ops = ops;
	f->users = 0;
}

void utw_factory_start(struct utw_factory *f)
{
	if (f->users++ == 0 && f->ops->start)
		f->ops->start(f);
}

void utw_factory_stop(struct utw_factory *f)
{
	if (f->users == 0)
		return;
	if (--f->users == 0 && f->ops->stop)
		f->ops->stop(f);
}

struct utw_protocol *utw_factory_build(struct utw_factory *f, const struct utw_address *peer)
{
	return f->ops->build(f, peer);
}

void utw_factory_trouble(struct utw_factory *f, const struct utw_failure *why)
{
	if (f->ops->trouble)
		f->ops->trouble(f, why);
}
