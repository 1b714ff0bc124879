import RADIUS
