// SPDX-License-Identifier: GPL-2.0-only
/*
 * Step 6: hardware that fetches and stores payloads by itself: the DMA engine
 * of QEMU's "edu" device, between its own memory and the program's.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>

#define GUIDE_OP_WRITE (UNTWIST_OP_DRIVER + 0) /* the payload to the device */
#define GUIDE_OP_READ  (UNTWIST_OP_DRIVER + 1) /* and back */

#define REG_IRQ_STATUS	0x24
#define REG_IRQ_ACK	0x64
#define REG_DMA_SRC	0x80
#define REG_DMA_DST	0x88
#define REG_DMA_COUNT	0x90
#define REG_DMA_CMD	0x98
#define DMA_START	BIT(0)
#define DMA_FROM_DEVICE BIT(1)
#define DMA_INTERRUPT	BIT(2)
#define DMA_MEMORY	0x40000 /* where the device sees its own */
#define DMA_MEMORY_SIZE 4095

struct guide {
	struct pci_dev *pdev;
	void __iomem *regs;
	spinlock_t lock; /* guards the list and the registers of the engine */
	struct list_head waiting; /* the first one runs */
};

/* How far a request has come. */
struct guide_request {
	struct scatterlist *segment;
	u32 done;
};

static struct untwist_request *guide_running(struct guide *guide)
{
	return list_first_entry_or_null(&guide->waiting, struct untwist_request, node);
}

/* One segment: the engine moves what lies in one piece. */
static void guide_start(struct guide *guide, struct untwist_request *req)
{
	struct guide_request *gr = untwist_request_priv(req);
	bool write = req->opcode == GUIDE_OP_WRITE;
	u32 theirs = sg_dma_address(gr->segment);
	u32 ours = DMA_MEMORY + gr->done;

	writel(write ? theirs : ours, guide->regs + REG_DMA_SRC);
	writel(write ? ours : theirs, guide->regs + REG_DMA_DST);
	writel(sg_dma_len(gr->segment), guide->regs + REG_DMA_COUNT);
	writel(DMA_START | DMA_INTERRUPT | (write ? 0 : DMA_FROM_DEVICE),
	       guide->regs + REG_DMA_CMD);
}

static struct guide *guide_of(struct untwist_request *req)
{
	return untwist_device_drvdata(untwist_channel_device(req->channel));
}

/* The core undoes the mapping, whatever becomes of the request. */
static int guide_submit(struct untwist_request *req)
{
	struct guide_request *gr = untwist_request_priv(req);
	struct guide *guide = guide_of(req);
	unsigned long flags;
	int ret;

	if (!req->len)
		return -EINVAL;
	ret = untwist_request_map(req);
	if (ret)
		return ret;
	gr->segment = req->sgt->sgl;
	spin_lock_irqsave(&guide->lock, flags);
	list_add_tail(&req->node, &guide->waiting);
	if (list_is_singular(&guide->waiting))
		guide_start(guide, req);
	spin_unlock_irqrestore(&guide->lock, flags);
	return 0;
}

/* A segment is done. Returns the request if it was the last one. */
static struct untwist_request *guide_advance(struct guide *guide)
{
	struct untwist_request *req = guide_running(guide);
	struct guide_request *gr;

	if (!req)
		return NULL;
	gr = untwist_request_priv(req);
	gr->done += sg_dma_len(gr->segment);
	gr->segment = sg_next(gr->segment);
	if (gr->done < req->len) {
		guide_start(guide, req);
		return NULL;
	}
	list_del_init(&req->node);
	if (guide_running(guide))
		guide_start(guide, guide_running(guide));
	return req;
}

static irqreturn_t guide_interrupt(int irq, void *data)
{
	struct guide *guide = data;
	u32 status = readl(guide->regs + REG_IRQ_STATUS);
	struct untwist_request *req;

	if (!status || status == ~0u)
		return IRQ_NONE;
	writel(status, guide->regs + REG_IRQ_ACK);
	spin_lock(&guide->lock);
	req = guide_advance(guide);
	spin_unlock(&guide->lock);
	if (req)
		untwist_complete(req, req->len);
	return IRQ_HANDLED;
}

static const struct untwist_opcode guide_opcodes[] = {
	[UNTWIST_OPCODE(GUIDE_OP_WRITE)] = {
		.name = "write",
		.payload = UNTWIST_TO_DEVICE | UNTWIST_PAGES,
		.submit = guide_submit,
	},
	[UNTWIST_OPCODE(GUIDE_OP_READ)] = {
		.name = "read",
		.payload = UNTWIST_FROM_DEVICE | UNTWIST_PAGES,
		.submit = guide_submit,
	},
};

/* Without cancel: unplug waits for what runs, which is not long. */
static const struct untwist_ops guide_ops = {};

static int guide_interrupts_on(struct guide *guide)
{
	struct pci_dev *pdev = guide->pdev;
	int ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);

	if (ret < 0)
		return ret;
	pci_set_master(pdev);
	return devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), guide_interrupt, IRQF_SHARED,
				"guide_dma", guide);
}

/* How far the device reaches comes before the registration, which looks at it. */
static int guide_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct guide *guide = devm_kzalloc(&pdev->dev, sizeof(*guide), GFP_KERNEL);
	const struct untwist_config config = {
		.name = "guide_dma",
		.ops = &guide_ops,
		.drvdata = guide,
		.opcodes = guide_opcodes,
		.nr_opcodes = ARRAY_SIZE(guide_opcodes),
		.request_size = sizeof(struct guide_request),
		.pages_max = DMA_MEMORY_SIZE,
	};
	int ret;

	if (!guide)
		return -ENOMEM;
	guide->pdev = pdev;
	spin_lock_init(&guide->lock);
	INIT_LIST_HEAD(&guide->waiting);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (!ret)
		ret = pcim_enable_device(pdev);
	if (!ret)
		ret = pcim_iomap_regions(pdev, BIT(0), "guide_dma");
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "cannot map BAR 0\n");
	guide->regs = pcim_iomap_table(pdev)[0];
	ret = guide_interrupts_on(guide);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no interrupt\n");
	return PTR_ERR_OR_ZERO(devm_untwist_register(&pdev->dev, &config));
}

static const struct pci_device_id guide_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, {} };

static struct pci_driver guide_driver = {
	.name = "guide_dma",
	.id_table = guide_ids,
	.probe = guide_probe,
};
module_pci_driver(guide_driver);

MODULE_DESCRIPTION("Step 6 of Untwist's driver guide");
MODULE_LICENSE("GPL");
