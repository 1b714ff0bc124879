#!/bin/sh
# Process 1 of every guest. user-mode-linux hands unknown key=value words of its command line to us as environment.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
for directory in /run /tmp /var/log /etc/ppp /etc/xl2tpd /root; do
    [ -d $directory ] && mount -t tmpfs tmpfs $directory
done
mkdir -p /dev/pts /dev/shm /run/xl2tpd /run/modules/lib
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t hostfs none /mnt -o "$hostdir"
# modprobe looks in lib/modules below the folder it is given; Debian keeps the modules of this kernel elsewhere.
ln -s /usr/lib/uml/modules /run/modules/lib/modules
busybox stty -echo
ip link set lo up
echo "MARK BOOTED $(uname -r)"
while read -r number; do
    (
        . /mnt/library.sh
        . "/mnt/command-$number.sh"
    ) >"/mnt/output-$number" 2>&1 </dev/null
    echo "MARK DONE $number $?"
done
busybox poweroff -f
