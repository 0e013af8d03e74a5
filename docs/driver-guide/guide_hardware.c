// SPDX-License-Identifier: GPL-2.0-only
/*
 * Step 5: real hardware, which comes and goes: QEMU's "edu" device, that works
 * out one factorial at a time and raises an interrupt when it has.
 */
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>

#define GUIDE_OP_FACTORIAL UNTWIST_OP_DRIVER /* value[0] = arg[0]! */

#define REG_FACTORIAL	 0x08
#define REG_STATUS	 0x20
#define STATUS_INTERRUPT BIT(7)
#define REG_IRQ_STATUS	 0x24
#define REG_IRQ_ACK	 0x64

struct guide {
	struct pci_dev *pdev;
	void __iomem *regs;
	spinlock_t lock; /* guards the list and the registers of the unit */
	struct list_head waiting; /* the first one runs */
};

static void guide_start(struct guide *guide)
{
	struct untwist_request *req =
		list_first_entry_or_null(&guide->waiting, struct untwist_request, node);

	if (req)
		writel(req->arg[0], guide->regs + REG_FACTORIAL);
}

static struct guide *guide_of(struct untwist_request *req)
{
	return untwist_device_drvdata(untwist_channel_device(req->channel));
}

static int guide_submit(struct untwist_request *req)
{
	struct guide *guide = guide_of(req);
	unsigned long flags;
	bool idle;

	if (req->arg[0] > 12)
		return -ERANGE;
	spin_lock_irqsave(&guide->lock, flags);
	idle = list_empty(&guide->waiting);
	list_add_tail(&req->node, &guide->waiting);
	if (idle)
		guide_start(guide);
	spin_unlock_irqrestore(&guide->lock, flags);
	return 0;
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
	req = list_first_entry_or_null(&guide->waiting, struct untwist_request, node);
	if (req) {
		req->value[0] = readl(guide->regs + REG_FACTORIAL);
		list_del_init(&req->node);
		guide_start(guide);
	}
	spin_unlock(&guide->lock);
	if (req)
		untwist_complete(req, 0);
	return IRQ_HANDLED;
}

/* What waits is taken back; what runs has its interrupt still to come. */
static void guide_cancel(struct untwist_request *req)
{
	struct guide *guide = guide_of(req);
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&guide->lock, flags);
	taken = !list_empty(&req->node) && !list_is_first(&req->node, &guide->waiting);
	if (taken)
		list_del_init(&req->node);
	spin_unlock_irqrestore(&guide->lock, flags);
	if (taken)
		untwist_complete(req, -ECANCELED);
}

static const struct untwist_opcode guide_opcodes[] = {
	[UNTWIST_OPCODE(GUIDE_OP_FACTORIAL)] = { .name = "factorial", .submit = guide_submit },
};

static const struct untwist_ops guide_ops = { .cancel = guide_cancel };

static void guide_interrupts_off(void *data)
{
	struct guide *guide = data;

	writel(0, guide->regs + REG_STATUS);
}

static int guide_interrupts_on(struct guide *guide)
{
	struct pci_dev *pdev = guide->pdev;
	int ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);

	if (ret < 0)
		return ret;
	pci_set_master(pdev);
	ret = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), guide_interrupt, IRQF_SHARED,
			       "guide_hardware", guide);
	if (ret)
		return ret;
	writel(STATUS_INTERRUPT, guide->regs + REG_STATUS);
	return devm_add_action_or_reset(&pdev->dev, guide_interrupts_off, guide);
}

/*
 * The node last, so that it goes first: devm undoes in the opposite order, and
 * unregistering waits for what runs, whose interrupt must still be on then.
 */
static int guide_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct guide *guide = devm_kzalloc(&pdev->dev, sizeof(*guide), GFP_KERNEL);
	const struct untwist_config config = {
		.name = "guide_hardware",
		.ops = &guide_ops,
		.drvdata = guide,
		.opcodes = guide_opcodes,
		.nr_opcodes = ARRAY_SIZE(guide_opcodes),
	};
	int ret;

	if (!guide)
		return -ENOMEM;
	guide->pdev = pdev;
	spin_lock_init(&guide->lock);
	INIT_LIST_HEAD(&guide->waiting);
	ret = pcim_enable_device(pdev);
	if (!ret)
		ret = pcim_iomap_regions(pdev, BIT(0), "guide_hardware");
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
	.name = "guide_hardware",
	.id_table = guide_ids,
	.probe = guide_probe,
};
module_pci_driver(guide_driver);

MODULE_DESCRIPTION("Step 5 of Untwist's driver guide");
MODULE_LICENSE("GPL");
