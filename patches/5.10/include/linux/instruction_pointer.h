/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_INSTRUCTION_POINTER_H
#define _LINUX_INSTRUCTION_POINTER_H

/* Newer kernels have _RET_IP_ in a header of its own. */
#include <linux/kernel.h>

#endif
