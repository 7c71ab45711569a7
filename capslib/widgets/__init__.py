"""Widgets that a learner steps through in the notebook. They take plain arrays, and compute in the browser."""

from capslib.widgets.condition_explorer import ConditionExplorer as ConditionExplorer
from capslib.widgets.diagnosis import Diagnosis as Diagnosis
from capslib.widgets.live_capsnet import LiveCapsNet as LiveCapsNet
from capslib.widgets.margin_loss_explorer import MarginLossExplorer as MarginLossExplorer
from capslib.widgets.pose_explorer import PoseExplorer as PoseExplorer
from capslib.widgets.pose_votes import PoseVotes as PoseVotes
from capslib.widgets.quiz import Question as Question
from capslib.widgets.quiz import Quiz as Quiz
from capslib.widgets.routing_explorer import RoutingExplorer as RoutingExplorer
from capslib.widgets.squash_explorer import SquashExplorer as SquashExplorer
from capslib.widgets.vote_router import VoteRouter as VoteRouter
