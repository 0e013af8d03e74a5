// SPDX-License-Identifier: GPL-2.0-only
/*
 * untwist_edu: QEMU's "edu" PCI device (docs/specs/edu.rst in QEMU's source).
 * A factorial unit and a DMA engine, each of which does one thing at a time and
 * raises an interrupt when it is done. Requests wait in a queue for each unit;
 * the interrupt completes the one that runs and starts the next. The DMA engine
 * works on the payloads in place, piece by piece.
 */
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>
#include <uapi/linux/untwist_edu.h>

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8

#define EDU_REG_ID	     0x00
#define EDU_ID_MASK	     0x0000ffff /* above it: the version */
#define EDU_ID		     0x000000ed
#define EDU_REG_LIVENESS     0x04 /* returns the complement of what is written */
#define EDU_REG_FACTORIAL    0x08
#define EDU_REG_STATUS	     0x20
#define EDU_STATUS_COMPUTING BIT(0)
#define EDU_STATUS_IRQ	     BIT(7) /* interrupt when a factorial is done */
#define EDU_REG_IRQ_STATUS   0x24
#define EDU_REG_IRQ_ACK	     0x64
#define EDU_IRQ_FACTORIAL    BIT(0)
#define EDU_IRQ_DMA	     BIT(8)
#define EDU_REG_DMA_SRC	     0x80
#define EDU_REG_DMA_DST	     0x88
#define EDU_REG_DMA_COUNT    0x90
#define EDU_REG_DMA_CMD	     0x98
#define EDU_DMA_START	     BIT(0)
#define EDU_DMA_FROM_DEVICE  BIT(1)
#define EDU_DMA_IRQ	     BIT(2)
/*
 * Where the device sees its own memory. The last of its 4096 bytes is out of
 * reach: QEMU 7.2 ends the machine over a transfer that touches it.
 */
#define EDU_DMA_MEMORY 0x40000

#define EDU_AUTOSUSPEND_MS 100

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits,
		 "bits of an address that the device reaches, as its dma_mask (default 28)");

static bool intx;
module_param(intx, bool, 0444);
MODULE_PARM_DESC(intx, "use INTx even where MSI is there (default N)");

/**
 * struct edu_unit - one of the two units
 * @start: write a request to the hardware, with the device's lock held
 * @waiting: requests; the first one runs
 */
struct edu_unit {
	void (*start)(struct untwist_request *req);
	struct list_head waiting;
};

/* How payloads come to the DMA engine. */
enum edu_dma_way {
	EDU_DMA_NONE,
	EDU_DMA_BOUNCED, /* the device does not reach all of the memory */
	EDU_DMA_DIRECT,
};

static const char *const edu_dma_ways[] = {
	[EDU_DMA_NONE] = "none",
	[EDU_DMA_BOUNCED] = "bounced",
	[EDU_DMA_DIRECT] = "direct",
};

/**
 * struct edu_transfer - a request of the DMA engine
 * @segment: the part of the payload that is moved; NULL, it is bounced
 * @within: how many bytes of that are moved already
 * @done: how many of the payload
 * @piece: how many the engine moves now
 * @stopped: a cancel was asked for: it is to be the last piece
 *
 * All of it is guarded by the device's lock.
 */
struct edu_transfer {
	struct scatterlist *segment;
	u32 within;
	u32 done;
	u32 piece;
	bool stopped;
};

/**
 * struct edu - one device
 * @pdev: PCI function
 * @regs: BAR 0
 * @id: number in its name
 * @interrupts: how many it raised
 * @lock: guards the units and their registers
 * @factorial: the factorial unit
 * @dma: the DMA engine
 * @dma_way: how payloads come there
 * @bounce: if they are bounced: memory that the device can reach,
 *	UNTWIST_EDU_MEMORY bytes; belongs to the request that runs on @dma
 * @bounce_addr: where the device sees it
 */
struct edu {
	struct pci_dev *pdev;
	void __iomem *regs;
	int id;
	atomic_long_t interrupts;
	spinlock_t lock; /* see above */
	struct edu_unit factorial;
	struct edu_unit dma;
	enum edu_dma_way dma_way;
	void *bounce;
	dma_addr_t bounce_addr;
};

static DEFINE_IDA(edu_ids);

static struct edu *edu_of(const struct untwist_request *req)
{
	return untwist_device_drvdata(untwist_channel_device(req->channel));
}

/* Units. */

static struct untwist_request *unit_running(struct edu_unit *unit)
{
	return list_first_entry_or_null(&unit->waiting, struct untwist_request, node);
}

static void unit_submit(struct edu *edu, struct edu_unit *unit, struct untwist_request *req)
{
	unsigned long flags;
	bool idle;

	spin_lock_irqsave(&edu->lock, flags);
	idle = list_empty(&unit->waiting);
	list_add_tail(&req->node, &unit->waiting);
	if (idle)
		unit->start(req);
	spin_unlock_irqrestore(&edu->lock, flags);
}

/* The running request leaves the unit to the next one. */
static void unit_finish(struct edu_unit *unit, struct untwist_request *req)
{
	struct untwist_request *next;

	list_del_init(&req->node);
	next = unit_running(unit);
	if (next)
		unit->start(next);
}

/* Whether the interrupt of a request is still to come. */
static bool edu_runs(struct edu *edu, struct untwist_request *req)
{
	return req == unit_running(&edu->factorial) || req == unit_running(&edu->dma);
}

/*
 * What waits is taken back. What runs is left to its interrupt, unless the
 * device is not there any more to raise one; of a transfer the rest is.
 */
static void edu_cancel(struct untwist_request *req)
{
	struct edu *edu = edu_of(req);
	struct edu_transfer *t = untwist_request_priv(req);
	bool present = pci_device_is_present(edu->pdev);
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&edu->lock, flags);
	taken = !list_empty(&req->node) && (!present || !edu_runs(edu, req));
	if (taken)
		list_del_init(&req->node);
	else
		t->stopped = true;
	spin_unlock_irqrestore(&edu->lock, flags);
	if (taken)
		untwist_complete(req, -ECANCELED);
}

/* The factorial unit. */

static void factorial_start(struct untwist_request *req)
{
	writel(req->arg[0], edu_of(req)->regs + EDU_REG_FACTORIAL);
}

static int factorial_submit(struct untwist_request *req)
{
	struct edu *edu = edu_of(req);

	if (req->arg[0] > UNTWIST_EDU_FACTORIAL_MAX)
		return -ERANGE;
	unit_submit(edu, &edu->factorial, req);
	return 0;
}

static void factorial_interrupt(struct edu *edu)
{
	u32 result = readl(edu->regs + EDU_REG_FACTORIAL);
	struct untwist_request *req;

	spin_lock(&edu->lock);
	req = unit_running(&edu->factorial);
	if (req)
		unit_finish(&edu->factorial, req);
	spin_unlock(&edu->lock);
	if (!req)
		return;
	req->value[0] = result;
	untwist_complete(req, 0);
}

/* The DMA engine. */

static bool dma_to_device(const struct untwist_request *req)
{
	return req->opcode == UNTWIST_EDU_OP_WRITE || req->opcode == UNTWIST_EDU_OP_WRITE_LONG;
}

/* How far the engine gets at once: to the end of its memory, or of what lies in one piece. */
static u32 dma_piece(const struct edu *edu, const struct untwist_request *req,
		     const struct edu_transfer *t, u32 offset)
{
	u32 piece = min(req->len - t->done, UNTWIST_EDU_MEMORY - offset);

	return edu->bounce ? piece : min(piece, sg_dma_len(t->segment) - t->within);
}

static void dma_start(struct untwist_request *req)
{
	struct edu *edu = edu_of(req);
	struct edu_transfer *t = untwist_request_priv(req);
	bool to_device = dma_to_device(req);
	u32 offset = ((u32)req->arg[0] + t->done) % UNTWIST_EDU_MEMORY;
	u32 memory = EDU_DMA_MEMORY + offset;
	dma_addr_t payload = edu->bounce_addr;

	t->piece = dma_piece(edu, req, t, offset);
	if (!edu->bounce)
		payload = sg_dma_address(t->segment) + t->within;
	else if (to_device)
		sg_pcopy_to_buffer(req->sgt->sgl, req->sgt->orig_nents, edu->bounce, t->piece,
				   t->done);
	/* dma_bits is at most 32: the upper halves of the registers stay 0. */
	writel(to_device ? payload : memory, edu->regs + EDU_REG_DMA_SRC);
	writel(to_device ? memory : payload, edu->regs + EDU_REG_DMA_DST);
	writel(t->piece, edu->regs + EDU_REG_DMA_COUNT);
	writel(EDU_DMA_START | EDU_DMA_IRQ | (to_device ? 0 : EDU_DMA_FROM_DEVICE),
	       edu->regs + EDU_REG_DMA_CMD);
}

static int dma_submit(struct untwist_request *req)
{
	struct edu *edu = edu_of(req);
	struct edu_transfer *t = untwist_request_priv(req);
	int ret;

	if (edu->dma_way == EDU_DMA_NONE)
		return -EOPNOTSUPP;
	if (!req->len)
		return -EINVAL;
	if (!edu->bounce) {
		ret = untwist_request_map(req);
		if (ret)
			return ret;
		t->segment = req->sgt->sgl;
	}
	unit_submit(edu, &edu->dma, req);
	return 0;
}

static int short_submit(struct untwist_request *req)
{
	if (req->arg[0] > UNTWIST_EDU_MEMORY || req->len > UNTWIST_EDU_MEMORY - req->arg[0])
		return -ERANGE;
	return dma_submit(req);
}

static int long_submit(struct untwist_request *req)
{
	return req->arg[0] < UNTWIST_EDU_MEMORY ? dma_submit(req) : -ERANGE;
}

/* A piece has been moved. Returns true if another one is to be. */
static bool dma_advance(struct edu *edu, struct untwist_request *req)
{
	struct edu_transfer *t = untwist_request_priv(req);

	if (edu->bounce && !dma_to_device(req))
		sg_pcopy_from_buffer(req->sgt->sgl, req->sgt->orig_nents, edu->bounce, t->piece,
				     t->done);
	t->done += t->piece;
	t->within += t->piece;
	if (t->segment && t->within == sg_dma_len(t->segment)) {
		t->segment = sg_next(t->segment);
		t->within = 0;
	}
	return t->done < req->len && !t->stopped;
}

static void dma_interrupt(struct edu *edu)
{
	struct untwist_request *req;
	struct edu_transfer *t;

	spin_lock(&edu->lock);
	req = unit_running(&edu->dma);
	if (req && dma_advance(edu, req)) {
		dma_start(req);
		req = NULL;
	} else if (req) {
		unit_finish(&edu->dma, req);
	}
	spin_unlock(&edu->lock);
	if (!req)
		return;
	t = untwist_request_priv(req);
	untwist_complete(req, t->done == req->len ? (s32)req->len : -ECANCELED);
}

/* Interrupts. */

static irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu *edu = data;
	u32 status = readl(edu->regs + EDU_REG_IRQ_STATUS);

	/* All ones: the device is gone, and this was somebody else's. */
	if (!status || status == ~0u)
		return IRQ_NONE;
	writel(status, edu->regs + EDU_REG_IRQ_ACK);
	atomic_long_inc(&edu->interrupts);
	if (status & EDU_IRQ_FACTORIAL)
		factorial_interrupt(edu);
	if (status & EDU_IRQ_DMA)
		dma_interrupt(edu);
	return IRQ_HANDLED;
}

static void edu_irq_off(void *data)
{
	struct edu *edu = data;

	writel(0, edu->regs + EDU_REG_STATUS);
}

static int edu_irq_init(struct edu *edu)
{
	struct pci_dev *pdev = edu->pdev;
	struct device *dev = &pdev->dev;
	int ret = 0;

	/* Of all types: MSI if the machine has it, else INTx. */
	if (!intx)
		ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return dev_err_probe(dev, ret, "no interrupt\n");
	ret = devm_request_irq(dev, pci_irq_vector(pdev, 0), edu_interrupt, IRQF_SHARED,
			       "untwist_edu", edu);
	if (ret)
		return dev_err_probe(dev, ret, "cannot request the interrupt\n");
	writel(EDU_STATUS_IRQ, edu->regs + EDU_REG_STATUS);
	return devm_add_action_or_reset(dev, edu_irq_off, edu);
}

/* The node. */

static const struct untwist_ops edu_ops = {
	.cancel = edu_cancel,
};

static const struct untwist_opcode edu_opcodes[] = {
	/* clang-format off */
	[UNTWIST_OPCODE(UNTWIST_EDU_OP_FACTORIAL)] = {
		.name = "factorial",
		.submit = factorial_submit,
	},
	[UNTWIST_OPCODE(UNTWIST_EDU_OP_WRITE)] = {
		.name = "write",
		.payload = UNTWIST_TO_DEVICE | UNTWIST_PAGES,
		.submit = short_submit,
	},
	[UNTWIST_OPCODE(UNTWIST_EDU_OP_READ)] = {
		.name = "read",
		.payload = UNTWIST_FROM_DEVICE | UNTWIST_PAGES,
		.submit = short_submit,
	},
	[UNTWIST_OPCODE(UNTWIST_EDU_OP_WRITE_LONG)] = {
		.name = "write long",
		.payload = UNTWIST_TO_DEVICE | UNTWIST_PAGES,
		.submit = long_submit,
	},
	[UNTWIST_OPCODE(UNTWIST_EDU_OP_READ_LONG)] = {
		.name = "read long",
		.payload = UNTWIST_FROM_DEVICE | UNTWIST_PAGES,
		.submit = long_submit,
	},
	/* clang-format on */
};

static ssize_t interrupts_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct edu *edu = untwist_device_drvdata(untwist_device_of(dev));

	return sysfs_emit(buf, "%ld\n", atomic_long_read(&edu->interrupts));
}
static DEVICE_ATTR_RO(interrupts);

static ssize_t dma_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct edu *edu = untwist_device_drvdata(untwist_device_of(dev));

	return sysfs_emit(buf, "%s\n", edu_dma_ways[edu->dma_way]);
}
static DEVICE_ATTR_RO(dma);

static struct attribute *edu_attrs[] = {
	&dev_attr_interrupts.attr,
	&dev_attr_dma.attr,
	NULL,
};
ATTRIBUTE_GROUPS(edu);

static int edu_register(struct edu *edu)
{
	char name[UNTWIST_NAME_LEN];
	struct untwist_config config = {
		.name = name,
		.ops = &edu_ops,
		.drvdata = edu,
		.flags = UNTWIST_RUNTIME_PM | UNTWIST_QUIESCE,
		.kind = UNTWIST_KIND_NONE,
		.opcodes = edu_opcodes,
		.nr_opcodes = ARRAY_SIZE(edu_opcodes),
		.request_size = sizeof(struct edu_transfer),
		.groups = edu_groups,
	};

	snprintf(name, sizeof(name), "edu%d", edu->id);
	return PTR_ERR_OR_ZERO(devm_untwist_register(&edu->pdev->dev, &config));
}

static void edu_id_free(void *data)
{
	struct edu *edu = data;

	ida_free(&edu_ids, edu->id);
}

static int edu_id_init(struct edu *edu)
{
	edu->id = ida_alloc(&edu_ids, GFP_KERNEL);
	if (edu->id < 0)
		return edu->id;
	return devm_add_action_or_reset(&edu->pdev->dev, edu_id_free, edu);
}

/*
 * Sleep. It is the administrator's to allow: the bus begins with power/control
 * "on". The core wakes the device before it asks anything of it, so that there is
 * nothing to look after but the interrupts, without which nothing ends.
 */

static int edu_suspend(struct device *dev)
{
	struct edu *edu = dev_get_drvdata(dev);

	writel(0, edu->regs + EDU_REG_STATUS);
	return 0;
}

static int edu_resume(struct device *dev)
{
	struct edu *edu = dev_get_drvdata(dev);

	writel(EDU_STATUS_IRQ, edu->regs + EDU_REG_STATUS);
	return 0;
}

static DEFINE_RUNTIME_DEV_PM_OPS(edu_pm_ops, edu_suspend, edu_resume, NULL);

/* The bus holds it awake until the probe is over, and this lets go. */
static void edu_may_sleep(struct device *dev)
{
	pm_runtime_set_autosuspend_delay(dev, EDU_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_put_autosuspend(dev);
}

/* The opposite. What is left to do at the end is done awake. */
static void edu_remove(struct pci_dev *pdev)
{
	pm_runtime_get_sync(&pdev->dev);
	pm_runtime_dont_use_autosuspend(&pdev->dev);
}

/* The PCI function. */

static int edu_check(struct edu *edu)
{
	struct device *dev = &edu->pdev->dev;
	u32 id = readl(edu->regs + EDU_REG_ID);
	u32 probe = 0x5a17c0de;
	u32 answer;

	if ((id & EDU_ID_MASK) != EDU_ID)
		return dev_err_probe(dev, -ENODEV, "identification is %#x, not %#x\n",
				     id & EDU_ID_MASK, EDU_ID);
	writel(probe, edu->regs + EDU_REG_LIVENESS);
	answer = readl(edu->regs + EDU_REG_LIVENESS);
	if (answer != ~probe)
		return dev_err_probe(dev, -EIO, "liveness check: wrote %#x, read %#x, not %#x\n",
				     probe, answer, ~probe);
	return 0;
}

static int edu_map(struct edu *edu)
{
	struct pci_dev *pdev = edu->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "cannot enable the device\n");
	ret = pcim_iomap_regions(pdev, BIT(0), "untwist_edu");
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "cannot map BAR 0\n");
	edu->regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);
	return 0;
}

/*
 * A device that does not reach all of the memory would leave it to the kernel's
 * own bounce buffers, which not every machine has: so it has one itself. The
 * node works without DMA, too: only such requests are refused then.
 */
static void edu_dma_init(struct edu *edu)
{
	struct device *dev = &edu->pdev->dev;
	unsigned int bits = clamp(dma_bits, 1u, 32u);
	int ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(bits));

	if (!ret && !dma_addressing_limited(dev)) {
		edu->dma_way = EDU_DMA_DIRECT;
		return;
	}
	if (!ret)
		edu->bounce = dmam_alloc_coherent(dev, UNTWIST_EDU_MEMORY, &edu->bounce_addr,
						  GFP_KERNEL | __GFP_NOWARN);
	if (edu->bounce)
		edu->dma_way = EDU_DMA_BOUNCED;
	else
		dev_info(dev, "no memory within %u bits: no DMA requests (see dma_bits)\n", bits);
}

static struct edu *edu_new(struct pci_dev *pdev)
{
	struct edu *edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);

	if (!edu)
		return NULL;
	edu->pdev = pdev;
	pci_set_drvdata(pdev, edu);
	spin_lock_init(&edu->lock);
	edu->factorial.start = factorial_start;
	INIT_LIST_HEAD(&edu->factorial.waiting);
	edu->dma.start = dma_start;
	INIT_LIST_HEAD(&edu->dma.waiting);
	return edu;
}

/*
 * All is undone by itself in the opposite order: the node goes first, while
 * interrupts are still on, for what runs has to have its own.
 */
static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu = edu_new(pdev);
	int ret;

	if (!edu)
		return -ENOMEM;
	ret = edu_map(edu);
	if (!ret)
		ret = edu_check(edu);
	if (ret)
		return ret;
	edu_dma_init(edu);
	ret = edu_id_init(edu);
	if (!ret)
		ret = edu_irq_init(edu);
	if (!ret)
		ret = edu_register(edu);
	if (!ret)
		edu_may_sleep(&pdev->dev);
	return ret;
}

static const struct pci_device_id edu_pci_ids[] = { { PCI_DEVICE(EDU_VENDOR, EDU_DEVICE) }, {} };
MODULE_DEVICE_TABLE(pci, edu_pci_ids);

static struct pci_driver edu_driver = {
	.name = "untwist_edu",
	.id_table = edu_pci_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.driver.pm = pm_ptr(&edu_pm_ops),
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Untwist driver for QEMU's edu device");
MODULE_LICENSE("GPL");
