// SPDX-License-Identifier: GPL-2.0-only
/*
 * untwist_serdev: a peripheral at the other end of a UART, as one node. Records
 * are framed here, with SLIP or COBS, or the node is a raw stream of bytes.
 *
 * The firmware describes it: a child of the UART in the device tree, or in ACPI
 * a device with a UartSerialBus resource; docs/serial.md has both. The line is
 * listened to from the binding of the driver on, so that a file that is opened
 * in the middle of a frame begins with the next record and not with half a one.
 */
#include <linux/idr.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "serial.h"

/* How long an unbinding waits for the UART to send what it has. */
#define SERIAL_LEAVE (2 * HZ)

static DEFINE_IDA(serial_ids);

/*
 * What the UART was given still leaves, if it does so in time: at its close it
 * would wait for half a minute.
 */
static void serial_fall_quiet(void *data)
{
	struct serial *serial = data;

	mutex_lock(&serial->lock);
	serial->quiet = true;
	mutex_unlock(&serial->lock);
	serdev_device_wait_until_sent(serial->serdev, SERIAL_LEAVE);
	serdev_device_write_flush(serial->serdev);
}

static int serial_open_line(struct serial *serial)
{
	struct serdev_device *serdev = serial->serdev;
	struct device *dev = &serdev->dev;
	int ret;

	serdev_device_set_drvdata(serdev, serial);
	serdev_device_set_client_ops(serdev, &untwist_serial_line_ops);
	ret = devm_serdev_device_open(dev, serdev);
	if (ret)
		return dev_err_probe(dev, ret, "cannot open the UART\n");
	ret = devm_add_action_or_reset(dev, serial_fall_quiet, serial);
	if (ret)
		return ret;
	serdev_device_set_baudrate(serdev, serial->speed);
	serdev_device_set_flow_control(serdev, serial->rts_cts);
	ret = serdev_device_set_parity(serdev, serial->parity);
	if (ret)
		return dev_err_probe(dev, ret, "the UART cannot do untwist,parity\n");
	return 0;
}

static void serial_stop_work(void *data)
{
	struct serial *serial = data;

	destroy_workqueue(serial->wq);
}

static int serial_init(struct serial *serial)
{
	struct device *dev = &serial->serdev->dev;
	size_t frame = serial->framing ? untwist_frame_max(serial->framing, serial->size)
				       : serial->size;
	u8 *buf = devm_kmalloc(dev, serial->size, GFP_KERNEL);

	serial->record = devm_kmalloc(dev, serial->size, GFP_KERNEL);
	serial->frame = devm_kmalloc(dev, frame, GFP_KERNEL);
	serial->wq = alloc_ordered_workqueue("untwist_serdev", 0);
	if (!serial->wq || devm_add_action_or_reset(dev, serial_stop_work, serial) || !buf ||
	    !serial->record || !serial->frame)
		return -ENOMEM;
	if (serial->framing)
		untwist_unframer_init(&serial->unframer, serial->framing, buf, serial->size);
	return 0;
}

static int serial_register(struct serial *serial)
{
	char name[UNTWIST_NAME_LEN];
	struct untwist_config config = {
		.name = serial->name ? serial->name : name,
		.ops = &untwist_serial_ops,
		.drvdata = serial,
		.flags = UNTWIST_DEFER,
		.kind = serial->framing ? UNTWIST_KIND_RECORD : UNTWIST_KIND_STREAM,
		.record_max = serial->framing ? serial->size : 0,
		.groups = untwist_serial_groups,
	};
	struct device *dev = &serial->serdev->dev;
	struct untwist_device *ud;

	snprintf(name, sizeof(name), "serial%d", serial->id);
	ud = devm_untwist_register(dev, &config);
	if (IS_ERR(ud))
		return dev_err_probe(dev, PTR_ERR(ud), "cannot register the node \"%s\"\n",
				     config.name);
	return 0;
}

static void serial_id_free(void *data)
{
	struct serial *serial = data;

	ida_free(&serial_ids, serial->id);
}

static struct serial *serial_new(struct serdev_device *serdev)
{
	struct serial *serial = devm_kzalloc(&serdev->dev, sizeof(*serial), GFP_KERNEL);

	if (!serial)
		return NULL;
	serial->serdev = serdev;
	INIT_WORK(&serial->work, untwist_serial_work);
	init_waitqueue_head(&serial->drained);
	mutex_init(&serial->lock);
	serial->id = ida_alloc(&serial_ids, GFP_KERNEL);
	if (serial->id < 0 || devm_add_action_or_reset(&serdev->dev, serial_id_free, serial))
		return NULL;
	return serial;
}

/*
 * All is undone by itself in the opposite order: the node goes first; then no
 * work touches the line any more; then it is closed, and nothing asks for work.
 */
static int serial_probe(struct serdev_device *serdev)
{
	struct serial *serial = serial_new(serdev);
	int ret;

	if (!serial)
		return -ENOMEM;
	ret = untwist_serial_read_properties(serial);
	if (!ret)
		ret = serial_init(serial);
	if (!ret)
		ret = serial_open_line(serial);
	if (!ret)
		ret = serial_register(serial);
	return ret;
}

/* Before the node goes, and with it who waits for the line in its close. */
static void serial_remove(struct serdev_device *serdev)
{
	struct serial *serial = serdev_device_get_drvdata(serdev);

	WRITE_ONCE(serial->leaving, true);
	wake_up(&serial->drained);
}

/* ACPI finds the driver by this, too, with the identification PRP0001. */
static const struct of_device_id serial_of_ids[] = { { .compatible = "untwist,serial" }, {} };
/*
 * What MODULE_DEVICE_TABLE() would make. The kernel's tool for that reads the
 * table in the word size that it was built for, and so fails when 32-bit modules
 * are built with Debian's headers on a 64-bit machine.
 */
MODULE_ALIAS("of:N*T*Cuntwist,serial");
MODULE_ALIAS("of:N*T*Cuntwist,serialC*");

static struct serdev_device_driver serial_driver = {
	.driver = {
		.name = "untwist_serdev",
		.of_match_table = serial_of_ids,
	},
	.probe = serial_probe,
	.remove = serial_remove,
};
module_serdev_device_driver(serial_driver);

MODULE_DESCRIPTION("Untwist driver for peripherals at a UART");
MODULE_LICENSE("GPL");
