// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the firmware says of a peripheral. An error names the property, and what
 * it may be.
 */
#include <linux/device.h>
#include <linux/property.h>
#include <linux/string.h>

#include "serial.h"

#define SERIAL_SPEED	  115200
#define SERIAL_SPEED_MAX  20000000
#define SERIAL_RECORD	  4096
#define SERIAL_RECORD_MAX (64 << 10)
/* As much of a stream at a time. */
#define SERIAL_CHUNK 4096

static int property_number(struct device *dev, const char *property, u32 max, u32 *value)
{
	int ret;

	if (!device_property_present(dev, property))
		return 0;
	ret = device_property_read_u32(dev, property, value);
	if (ret)
		return dev_err_probe(dev, ret, "%s is not one 32-bit number\n", property);
	if (!*value || *value > max)
		return dev_err_probe(dev, -ERANGE, "%s is %u, not in 1 to %u\n", property, *value,
				     max);
	return 0;
}

static int property_word(struct device *dev, const char *property, const char **word)
{
	int ret;

	if (!device_property_present(dev, property))
		return 0;
	ret = device_property_read_string(dev, property, word);
	if (ret)
		return dev_err_probe(dev, ret, "%s is not one string\n", property);
	return 0;
}

static int serial_read_framing(struct serial *serial)
{
	struct device *dev = &serial->serdev->dev;
	const char *word = "none";
	int ret = property_word(dev, "untwist,framing", &word);

	if (ret)
		return ret;
	serial->framing = untwist_framing_find(word);
	if (!serial->framing && strcmp(word, "none"))
		return dev_err_probe(dev, -EINVAL,
				     "untwist,framing is \"%s\", not slip, cobs or none\n", word);
	if (!serial->framing && device_property_present(dev, "untwist,record-max"))
		return dev_err_probe(dev, -EINVAL,
				     "untwist,record-max is there, but no untwist,framing\n");
	serial->size = serial->framing ? SERIAL_RECORD : SERIAL_CHUNK;
	return property_number(dev, "untwist,record-max", SERIAL_RECORD_MAX, &serial->size);
}

static int serial_read_parity(struct serial *serial)
{
	static const char *const parities[] = {
		[SERDEV_PARITY_NONE] = "none",
		[SERDEV_PARITY_EVEN] = "even",
		[SERDEV_PARITY_ODD] = "odd",
	};
	struct device *dev = &serial->serdev->dev;
	const char *word = "none";
	int ret = property_word(dev, "untwist,parity", &word);

	if (ret)
		return ret;
	ret = match_string(parities, ARRAY_SIZE(parities), word);
	if (ret < 0)
		return dev_err_probe(dev, -EINVAL,
				     "untwist,parity is \"%s\", not none, even or odd\n", word);
	serial->parity = ret;
	return 0;
}

/**
 * untwist_serial_read_properties() - fill in what the firmware describes
 * @serial: peripheral, with its serdev
 *
 * Context: process.
 *
 * Return: 0, or a negative errno, which the log explains.
 */
int untwist_serial_read_properties(struct serial *serial)
{
	struct device *dev = &serial->serdev->dev;
	int ret;

	serial->speed = SERIAL_SPEED;
	ret = property_number(dev, "current-speed", SERIAL_SPEED_MAX, &serial->speed);
	if (!ret)
		ret = property_word(dev, "untwist,name", &serial->name);
	if (!ret)
		ret = serial_read_framing(serial);
	if (!ret)
		ret = serial_read_parity(serial);
	serial->rts_cts = device_property_read_bool(dev, "uart-has-rtscts");
	return ret;
}
